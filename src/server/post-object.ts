/**
 * The way of a browser's form upload: fields instead of headers, a signed policy instead of a signed request.
 * From the gate on it is a PutObject.
 */
import type { ByteSource, HttpRequest, HttpResponse, Payload } from '../base/index.ts';
import type { Principal } from '../policy/index.ts';
import { checkPostContentLength, checkPostPolicy, verifyPostForm, type PostFormOptions, type PostPolicy } from '../signature/index.ts';
import { missingField, readPostForm, type PostForm } from '../wire/post-form.ts';
import { escapeXml, urlEncodeKey, XML_DECLARATION, type Codec, type S3Address, type WireService } from '../wire/index.ts';

export interface PostUpload {
  principal: Principal;
  /** By Signature Version 4. */
  signed: boolean;
  /** As the PutObject codec reads them: form fields under their header names. */
  headers: Readonly<Record<string, string>>;
  address: S3Address;
  payload: Payload;
  fields: ReadonlyMap<string, string>;
}

/** Fields that are not headers of the same name. */
const headerOfField: Readonly<Record<string, string>> = { acl: 'x-amz-acl' };
const notHeaders = new Set(['key', 'policy', 'file', 'tagging', 'success_action_status', 'success_action_redirect', 'redirect', 'bucket']);

/** Reads the form up to its file, and tells who signed it. Throws ServiceError. */
export async function admitPostUpload(request: HttpRequest, address: S3Address, options: PostFormOptions<Principal>): Promise<PostUpload> {
  const form = await readPostForm(request);
  const verified = await verifyPostForm(form.fields, options);
  const key = form.fields.get('key');
  if (key === undefined || key === '') throw missingField('key');
  const bucket = address.bucket ?? '';
  const fields = new Map([...form.fields, ['key', key.replaceAll('${filename}', form.fileName)]]);
  let payload: Payload = { body: form.file, decodedLength: undefined, trailers: () => ({}) };
  if (verified.kind === 'post') {
    checkPostPolicy(verified.policy, new Map([...fields, ['bucket', bucket]]));
    payload = { ...payload, body: boundedFile(form, verified.policy) };
  }
  const principal: Principal = verified.kind === 'post' ? verified.identity : { kind: 'anonymous' };
  const signed = verified.kind === 'post' && verified.version === 4;
  return { principal, signed, headers: headersOf(request, fields), address: { ...address, key: fields.get('key') ?? key }, payload, fields };
}

/** The file, whose size is judged by the policy as it comes, and in the end. */
async function* boundedFile(form: PostForm, policy: PostPolicy): ByteSource & AsyncGenerator<Buffer> {
  let sizeBytes = 0;
  const max = policy.contentLengthRange?.max ?? Number.POSITIVE_INFINITY;
  for await (const chunk of form.file) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > max) checkPostContentLength(policy, sizeBytes);
    yield chunk;
  }
  checkPostContentLength(policy, sizeBytes);
}

/** Encryption headers of the request itself mean nothing here: only fields count. */
function headersOf(request: HttpRequest, fields: ReadonlyMap<string, string>): Record<string, string> {
  const headers: Record<string, string> = { host: request.headers['host'] ?? '' };
  for (const [name, value] of fields) {
    if (notHeaders.has(name) || /^x-amz-(signature|credential|algorithm|date|security-token)$/.test(name)) continue;
    // Header text has one character a byte; a form field is decoded text.
    headers[headerOfField[name] ?? name] = Buffer.from(value, 'utf8').toString('latin1');
  }
  return headers;
}

/** The input of a PutObject whose headers are the form's fields. Throws ServiceError. */
export function postInput(wire: WireService, upload: PostUpload, request: HttpRequest): Record<string, unknown> {
  const { headers, address, fields } = upload;
  const asPut: HttpRequest = { ...request, method: 'PUT', headers, rawQuery: '' };
  const input = wire.codec('PutObject')?.decodeHead(asPut, { ...address, query: new Map() }) ?? {};
  const tagging = fields.get('tagging');
  if (tagging !== undefined) {
    const document: { Tagging?: { TagSet?: { Key: string; Value: string }[] } } = {};
    wire.codec('PutObjectTagging')?.decodeBody(Buffer.from(tagging, 'utf8'), document);
    const pairs = document.Tagging?.TagSet?.map(({ Key, Value }) => `${encodeURIComponent(Key)}=${encodeURIComponent(Value)}`);
    input['Tagging'] = pairs?.join('&');
  }
  return input;
}

/** 204, or what the form asked for: 200, 201 with a document, 303 to where it wants. */
export function answerPostUpload(codec: Codec, output: Record<string, unknown>, upload: PostUpload, origin: string): HttpResponse {
  const { bucket = '', key = '' } = upload.address;
  const { headers } = codec.encode(output);
  const etag = headers['etag'] ?? '';
  // In a path a plus is a plus: what listings may write for a space would name another object.
  const location = `${origin}/${bucket}/${urlEncodeKey(key).replaceAll('+', '%20')}`;
  headers['location'] = location;
  const redirect = upload.fields.get('success_action_redirect') ?? upload.fields.get('redirect');
  const target = redirect === undefined ? undefined : redirectTarget(redirect, { bucket, key, etag });
  if (target !== undefined) return { status: 303, headers: { ...headers, location: target } };
  switch (upload.fields.get('success_action_status')) {
    case '200': return { status: 200, headers };
    case '201': {
      const document = { Location: location, Bucket: bucket, Key: key, ETag: etag };
      const members = Object.entries(document).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`).join('');
      return { status: 201, headers: { ...headers, 'content-type': 'application/xml' }, body: `${XML_DECLARATION}<PostResponse>${members}</PostResponse>` };
    }
    default: return { status: 204, headers };
  }
}

/** A redirect that is no URL is ignored. */
function redirectTarget(redirect: string, facts: Record<string, string>): string | undefined {
  if (!/^https?:\/\//i.test(redirect) || !URL.canParse(redirect)) return undefined;
  const url = new URL(redirect);
  for (const [name, value] of Object.entries(facts)) url.searchParams.append(name, value);
  return url.href;
}
