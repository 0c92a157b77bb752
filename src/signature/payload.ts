/**
 * The body of a request as its sender meant it: checked against its SHA-256, or taken out of aws-chunked encoding.
 * What is yielded is not yet vouched for; only a body read to its end without an error is. So nothing made from it may
 * become visible before.
 * Source: contract kms-iam-audit 5.2; s3-surface section 2.
 */
import { createHash } from 'node:crypto';
import { assert, ServiceError } from '../base/index.ts';
import type { ByteSource, HttpRequest } from '../base/index.ts';
import { decodeChunks } from './aws-chunked.ts';
import type { PayloadPlan } from './payload-plan.ts';
import { incompleteBody, malformedTrailer, missingContentLength, payloadHashMismatch, payloadTooLarge } from './payload-errors.ts';

export interface PayloadLimits {
  /** Largest decoded body that may be announced; EntityTooLarge beyond. No limit when absent. */
  decodedLengthMax?: number;
}

export interface Payload {
  /** The decoded bytes, to be read once; each Buffer is the receiver's own. Errors: ServiceError. */
  body: ByteSource;
  /** Announced length of the decoded body; undefined when the request announced none. */
  decodedLength: number | undefined;
  /** Trailers by lower-case name; only after `body` has ended. */
  trailers(): Readonly<Record<string, string>>;
}

/** Trailers that S3 knows: all of them checksums. */
const KNOWN_TRAILERS = new Set(
  ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256', 'sha512', 'md5', 'xxhash64', 'xxhash3', 'xxhash128'].map(
    (algorithm) => `x-amz-checksum-${algorithm}`,
  ),
);

const NO_TRAILERS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Begins to read a request's body after its plan.
 * Errors, at once: 411 MissingContentLength (aws-chunked without x-amz-decoded-content-length), 400 InvalidRequest
 * (lengths or trailers declared wrongly), 400 EntityTooLarge. While reading: 400 IncompleteBody,
 * XAmzContentSHA256Mismatch, MalformedTrailerError, InvalidRequest; 403 SignatureDoesNotMatch.
 */
export function decodePayload(request: HttpRequest, plan: PayloadPlan, limits: PayloadLimits = {}): Payload {
  const contentLength = lengthHeader(request, 'content-length');
  const declaredTrailers = declaredTrailersOf(request);
  if (plan.kind === 'chunked') {
    const decodedLength = lengthHeader(request, 'x-amz-decoded-content-length');
    if (decodedLength === undefined) throw missingContentLength();
    refuseTooLarge(decodedLength, limits);
    if (!plan.trailer && declaredTrailers.size > 0) throw malformedTrailer();
    let trailers: Readonly<Record<string, string>> | undefined;
    const body = decodeChunks(transported(request.body, contentLength), {
      signer: plan.signed ? plan.signer : undefined,
      decodedLength,
      declaredTrailers,
      onEnd: (received) => {
        trailers = received;
      },
    });
    return {
      body,
      decodedLength,
      trailers() {
        assert(trailers !== undefined, 'trailers are read after the body has ended');
        return trailers;
      },
    };
  }
  // A trailer promised here would never come, and with it the checksum that the sender relies on.
  if (declaredTrailers.size > 0) throw malformedTrailer();
  if (contentLength !== undefined) refuseTooLarge(contentLength, limits);
  const body = transported(request.body, contentLength);
  return {
    body: plan.kind === 'sha256' ? hashed(body, plan.hex, plan.service) : body,
    decodedLength: contentLength,
    trailers: () => NO_TRAILERS,
  };
}

/** The body as it comes in, its end compared with content-length; a broken connection becomes IncompleteBody. */
async function* transported(source: ByteSource, contentLength: number | undefined): AsyncGenerator<Buffer, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  let received = 0;
  let ended = false;
  try {
    for (;;) {
      let step: IteratorResult<Buffer>;
      try {
        step = await iterator.next();
      } catch (error) {
        ended = true;
        throw error instanceof ServiceError ? error : incompleteBody(error);
      }
      if (step.done === true) {
        ended = true;
        break;
      }
      received += step.value.byteLength;
      yield step.value;
    }
  } finally {
    if (!ended) await iterator.return?.();
  }
  if (contentLength !== undefined && received !== contentLength) throw incompleteBody();
}

async function* hashed(source: ByteSource, expectedHex: string, service: string): AsyncGenerator<Buffer, void, void> {
  const hash = createHash('sha256');
  for await (const bytes of source) {
    hash.update(bytes);
    yield bytes;
  }
  const computedHex = hash.digest('hex');
  if (computedHex !== expectedHex) throw payloadHashMismatch(service, expectedHex, computedHex);
}

function lengthHeader(request: HttpRequest, name: string): number | undefined {
  const text = request.headers[name];
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw new ServiceError('InvalidRequest', 400, `Value for ${name} header is invalid.`);
  }
  return Number(text);
}

function refuseTooLarge(length: number, { decodedLengthMax }: PayloadLimits): void {
  if (decodedLengthMax !== undefined && length > decodedLengthMax) throw payloadTooLarge(length, decodedLengthMax);
}

function declaredTrailersOf(request: HttpRequest): ReadonlySet<string> {
  const declared = new Set<string>();
  const text = request.headers['x-amz-trailer'];
  if (text === undefined) return declared;
  for (const item of text.split(',')) {
    const name = item.trim().toLowerCase();
    if (name === '') continue;
    if (!KNOWN_TRAILERS.has(name)) {
      throw new ServiceError('InvalidRequest', 400, 'The value specified in the x-amz-trailer header is not supported');
    }
    declared.add(name);
  }
  return declared;
}
