/**
 * Who signed this request, and is the payload what was signed: Signature Version 4 in the Authorization header, in a
 * presigned URL and in a POST form; bodies with a hash, with signed chunks, with trailers.
 * Says nothing about what the caller may do.
 */
export { serviceOfCredentialScope } from './claim.ts';
export { hoistedHeaders } from './hoisted-headers.ts';
export { decodePayload } from './payload.ts';
export type { Payload, PayloadLimits } from './payload.ts';
export { checkPostContentLength, checkPostPolicy } from './post-policy.ts';
export type { PostCondition, PostPolicy } from './post-policy.ts';
export type { ChunkSigner, PayloadPlan } from './payload-plan.ts';
export { verifyPostForm } from './verify-post-form.ts';
export type { PostFormOptions, VerifiedPostForm } from './verify-post-form.ts';
export { verifyRequest } from './verify-request.ts';
export type { Credential, CredentialLookup, Verified, VerifiedAnonymous, VerifiedIdentity, VerifyOptions } from './verify-request.ts';
