/**
 * The aws-chunked body encoding, decoded while it streams.
 *
 *     chunk    hex(size) [";chunk-signature=" 64 hex] CR LF  size bytes  CR LF
 *     ...      the last chunk has size 0 and no data
 *     trailer  *( name ":" value (CR LF / LF) ) ["x-amz-trailer-signature:" 64 hex CR LF]  CR LF
 *
 * Data leaves in the pieces that the network delivered: no copy but of a chunk header torn between two of them.
 * Source: contract kms-iam-audit 5.2; s3-surface section 2.
 */
import { createHash, hash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { ByteSource } from '../base/index.ts';
import { hexDigit, SHA256_OF_NOTHING } from './canonical.ts';
import { incompleteBody, malformedChunk, malformedTrailer } from './payload-errors.ts';
import type { ChunkSigner } from './payload-plan.ts';
import { s3SignatureDoesNotMatch } from './refusals.ts';
import { sameSignature, sign } from './signing-key.ts';

export interface ChunkedFraming {
  /** Undefined for unsigned chunks. */
  signer: ChunkSigner | undefined;
  decodedLength: number;
  /** Lower-case names from x-amz-trailer: exactly these must come. */
  declaredTrailers: ReadonlySet<string>;
  /** Told the trailers once the whole body has been verified. */
  onEnd(trailers: Readonly<Record<string, string>>): void;
}

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

/** A chunk header line of ours has at most 101 bytes; other signers may pad the size or add extensions. */
const HEADER_SIZE_BYTES_MAX = 512;
const SIZE_DIGIT_COUNT_MAX = 16;
const TRAILER_SIZE_BYTES_MAX = 8192;
const TRAILER_COUNT_MAX = 16;

const SIGNATURE_EXTENSION = 'chunk-signature=';
const SIGNATURE_TRAILER = 'x-amz-trailer-signature';
const EMPTY = Buffer.alloc(0);

/** Decodes `source`. Errors: IncompleteBody, InvalidRequest, MalformedTrailerError, SignatureDoesNotMatch. */
export async function* decodeChunks(source: ByteSource, framing: ChunkedFraming): AsyncGenerator<Buffer, void, void> {
  const { signer, decodedLength } = framing;
  const chain = signer === undefined ? undefined : new SignatureChain(signer);
  let state: 'header' | 'data' | 'data end' | 'trailer' = 'header';
  let torn: Buffer = EMPTY;
  let dataLeft = 0;
  let announced = 0;
  let lineEndLeft = 0;

  for await (const bytes of source) {
    let position = 0;
    while (position < bytes.byteLength) {
      if (state === 'data') {
        const end = Math.min(bytes.byteLength, position + dataLeft);
        const piece = position === 0 && end === bytes.byteLength ? bytes : bytes.subarray(position, end);
        dataLeft -= end - position;
        position = end;
        if (chain !== undefined) chain.update(piece, dataLeft === 0);
        if (dataLeft === 0) {
          state = 'data end';
          lineEndLeft = 2;
        }
        yield piece;
      } else if (state === 'data end') {
        if (bytes[position++] !== (lineEndLeft === 2 ? CR : LF)) throw malformedChunk();
        if (--lineEndLeft === 0) state = 'header';
      } else if (state === 'header') {
        const limit = Math.min(bytes.byteLength, position + HEADER_SIZE_BYTES_MAX - torn.byteLength);
        const window = bytes.subarray(position, limit);
        const lineEnd = window.indexOf(LF);
        if (lineEnd < 0) {
          torn = torn.byteLength === 0 ? Buffer.from(window) : Buffer.concat([torn, window]);
          if (torn.byteLength >= HEADER_SIZE_BYTES_MAX) throw malformedChunk();
          position = limit;
          continue;
        }
        position += lineEnd + 1;
        let line = window.subarray(0, lineEnd + 1);
        if (torn.byteLength > 0) {
          line = Buffer.concat([torn, line]);
          torn = EMPTY;
        }
        const size = readChunkSize(line);
        chain?.begin(line);
        if (size > decodedLength - announced) throw incompleteBody();
        announced += size;
        dataLeft = size;
        if (size > 0) {
          state = 'data';
        } else {
          chain?.update(EMPTY, true);
          state = 'trailer';
        }
      } else {
        const rest = position === 0 ? bytes : bytes.subarray(position);
        if (torn.byteLength + rest.byteLength > TRAILER_SIZE_BYTES_MAX) throw malformedTrailer();
        torn = Buffer.concat([torn, rest]);
        position = bytes.byteLength;
      }
    }
  }

  if (state !== 'trailer' || announced !== decodedLength) throw incompleteBody();
  framing.onEnd(readTrailers(torn.toString('latin1'), framing.declaredTrailers, chain));
}

/** The size at the start of a header line, which ends in CR LF. */
function readChunkSize(line: Buffer): number {
  const end = line.byteLength - 2;
  if (end < 1 || line[end] !== CR) throw malformedChunk();
  let size = 0;
  let index = 0;
  for (; index < end; index++) {
    const code = line[index]!;
    if (code === SEMICOLON) break;
    const digit = hexDigit(code);
    if (digit < 0 || index >= SIZE_DIGIT_COUNT_MAX) throw malformedChunk();
    size = size * 16 + digit;
  }
  if (index === 0) throw malformedChunk();
  return size;
}

/** The chain of signatures: each chunk's signature covers the one before it, so that none can be left out or moved. */
class SignatureChain {
  readonly #signer: ChunkSigner;
  #previous: string;
  #provided = '';
  #hash: Hash | undefined;

  constructor(signer: ChunkSigner) {
    this.#signer = signer;
    this.#previous = signer.seedSignature;
  }

  /** Takes the signature of the chunk that begins with this header line. */
  begin(line: Buffer): void {
    const text = line.toString('latin1', 0, line.byteLength - 2);
    const semicolon = text.indexOf(';');
    if (semicolon < 0 || !text.startsWith(SIGNATURE_EXTENSION, semicolon + 1)) throw malformedChunk();
    this.#provided = text.slice(semicolon + 1 + SIGNATURE_EXTENSION.length);
    this.#hash = undefined;
  }

  /** Data of the chunk; with the last of it, the signature is compared. */
  update(data: Buffer, last: boolean): void {
    let dataSha256: string;
    if (this.#hash === undefined && last) {
      dataSha256 = data.byteLength === 0 ? SHA256_OF_NOTHING : hash('sha256', data, 'hex');
    } else {
      this.#hash ??= createHash('sha256');
      this.#hash.update(data);
      if (!last) return;
      dataSha256 = this.#hash.digest('hex');
    }
    this.#compare('AWS4-HMAC-SHA256-PAYLOAD', `${SHA256_OF_NOTHING}\n${dataSha256}`, this.#provided);
  }

  /** `lines`: every trailer as `name:value\n`. */
  verifyTrailer(lines: string, provided: string): void {
    this.#compare('AWS4-HMAC-SHA256-TRAILER', hash('sha256', Buffer.from(lines, 'latin1'), 'hex'), provided);
  }

  #compare(algorithm: string, covered: string, provided: string): void {
    const { accessKeyId, signingKey, date, scope } = this.#signer;
    const stringToSign = `${algorithm}\n${date}\n${scope}\n${this.#previous}\n${covered}`;
    const expected = sign(signingKey, stringToSign);
    if (!sameSignature(expected, provided)) {
      throw s3SignatureDoesNotMatch({ accessKeyId, stringToSign, signatureProvided: provided });
    }
    this.#previous = expected;
  }
}

/**
 * What follows the last chunk, to the end of the body: the HTTP framing tells where that is.
 * Lines may end in a lone LF and blank lines may stand between them, as some signers put them.
 */
function readTrailers(
  text: string,
  declared: ReadonlySet<string>,
  chain: SignatureChain | undefined,
): Readonly<Record<string, string>> {
  const trailers: Record<string, string> = {};
  const lines = text.split('\n');
  // A last line without its end may have been cut.
  if (lines.pop()!.trim() !== '') throw malformedTrailer();
  let count = 0;
  let signedText = '';
  let signature: string | undefined;
  for (const line of lines) {
    const content = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (content === '') continue;
    const colon = content.indexOf(':');
    if (colon < 1 || signature !== undefined || ++count > TRAILER_COUNT_MAX) throw malformedTrailer();
    const name = content.slice(0, colon).toLowerCase();
    const value = content.slice(colon + 1).trim();
    if (name === SIGNATURE_TRAILER && chain !== undefined) {
      signature = value;
      continue;
    }
    if (!declared.has(name) || trailers[name] !== undefined) throw malformedTrailer();
    trailers[name] = value;
    signedText += `${name}:${value}\n`;
  }
  if (count === 0 && declared.size === 0) return trailers;
  for (const name of declared) if (trailers[name] === undefined) throw malformedTrailer();
  if (chain !== undefined) {
    if (signature === undefined) throw malformedTrailer();
    chain.verifyTrailer(signedText, signature);
  }
  return trailers;
}
