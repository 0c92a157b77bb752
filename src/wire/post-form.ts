/**
 * A browser's POST upload: the form's fields, and its file as a stream. The file comes last; what comes behind it is
 * not read. Source: contract s3-surface.md section 6 (POST form).
 */
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { ServiceError, type ByteSource, type HttpRequest } from '../base/index.ts';

export interface PostForm {
  /** Lower-case names; the file is not among them. */
  fields: ReadonlyMap<string, string>;
  file: ByteSource;
  /** As the browser named it, without directories. */
  fileName: string;
}

/** Fields may take this much in all; AWS allows 20 KB. */
const fieldsSizeMaxBytes = 20 * 1024;
const fieldCountMax = 100;

/** Reads up to the file. Throws ServiceError PreconditionFailed (412), InvalidArgument, MalformedPOSTRequest, MaxPostPreDataLengthExceededError. */
export async function readPostForm(request: HttpRequest): Promise<PostForm> {
  const contentType = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\s*;.*boundary=/i.test(contentType)) {
    throw new ServiceError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
      details: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
    });
  }
  let parser: BusboyInstance;
  try {
    parser = new Busboy({
      headers: { 'content-type': contentType },
      limits: { fields: fieldCountMax, fieldSize: fieldsSizeMaxBytes, fieldNameSize: 256, files: 1, headerPairs: 20 },
      // Header text and fields of a form are UTF-8 unless they say otherwise.
      defCharset: 'utf8',
    });
  } catch (error) {
    throw malformed(error);
  }
  return new Promise<PostForm>((resolve, reject) => {
    const fields = new Map<string, string>();
    let fieldsSizeBytes = 0;
    let fails: (error: unknown) => void = reject;
    // The parser's types promise names; a part without one has none.
    parser.on('field', (name: string | undefined, value: string | undefined, isNameTruncated, isValueTruncated) => {
      if (name === undefined || value === undefined) {
        fails(malformed('a part without a name'));
        return;
      }
      fieldsSizeBytes += Buffer.byteLength(name) + Buffer.byteLength(value);
      if (isNameTruncated || isValueTruncated || fieldsSizeBytes > fieldsSizeMaxBytes) {
        fails(new ServiceError('MaxPostPreDataLengthExceeded', 400, 'Your POST request fields preceding the upload file were too large.', {
          details: { MaxPostPreDataLengthExceeded: String(fieldsSizeMaxBytes) },
        }));
        return;
      }
      fields.set(name.toLowerCase(), value);
    });
    parser.on('fieldsLimit', () => fails(malformed('too many fields')));
    parser.on('file', (name: string | undefined, stream, fileName: string | undefined) => {
      stream.on('error', () => undefined);
      if (name?.toLowerCase() !== 'file') {
        stream.resume();
        return;
      }
      fails = (error) => stream.destroy(error instanceof Error ? error : malformed(error));
      resolve({ fields, file: wellFormed(stream), fileName: (fileName ?? '').replace(/^.*[\\/]/, '') });
    });
    parser.on('error', (error) => fails(malformed(error)));
    parser.on('finish', () => fails(missingField('file')));
    feed(request.body, parser).catch((error: unknown) => fails(error instanceof ServiceError ? error : malformed(error)));
  });
}

/** Errors: 400 InvalidArgument. */
export function missingField(name: string): ServiceError {
  return new ServiceError('InvalidArgument', 400, `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`, {
    details: { ArgumentName: name, ArgumentValue: '' },
  });
}

async function feed(body: ByteSource, parser: BusboyInstance): Promise<void> {
  for await (const chunk of body) {
    if (!parser.write(chunk)) await new Promise<void>((resolve) => void parser.once('drain', resolve));
  }
  parser.end();
}

/** A form that is cut short breaks the file's stream: the reader hears it as the caller's mistake. */
async function* wellFormed(file: AsyncIterable<Buffer>): ByteSource & AsyncGenerator<Buffer> {
  try {
    yield* file;
  } catch (error) {
    throw error instanceof ServiceError ? error : malformed(error);
  }
}

function malformed(cause: unknown): ServiceError {
  return new ServiceError('MalformedPOSTRequest', 400, 'The body of your POST request is not well-formed multipart/form-data.', { cause });
}
