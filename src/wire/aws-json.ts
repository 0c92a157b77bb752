/**
 * AWS JSON 1.1, the protocol of KMS and CloudTrail: `POST /`, the operation in X-Amz-Target, one JSON object each way.
 * Source: contract kms-iam-audit 1.1.
 */
import { ServiceError } from '../base/errors.ts';
import type { HttpRequest } from '../base/http.ts';
import { STRUCTURED_BODY_SIZE_BYTES_MAX, type Codec } from './codec.ts';
import { JsonDecoderCompiler, JsonError, readJsonObject } from './json-decode.ts';
import { JsonEncoderCompiler } from './json-encode.ts';
import { missingMembers } from './required.ts';
import type { Operation } from './schema.ts';

export const AWS_JSON_CONTENT_TYPE = 'application/x-amz-json-1.1';

/** What follows the last dot of the target. Throws ServiceError UnknownOperationException (400). */
export function routeJson(request: HttpRequest, operations: ReadonlyMap<string, Operation>): string {
  const target = request.headers['x-amz-target'] ?? '';
  const name = target.slice(target.lastIndexOf('.') + 1);
  if (request.method !== 'POST' || !operations.has(name)) throw new ServiceError('UnknownOperationException', 400, undefined);
  return name;
}

/** One set of compilers a service: its operations share most of their shapes. */
export function awsJsonCompiler(): (operation: Operation) => Codec {
  const decoders = new JsonDecoderCompiler();
  const encoders = new JsonEncoderCompiler();
  return (operation) => {
    const decode = decoders.compile(operation.input);
    const isUnit = operation.output.kind === 'unit' || operation.output.members.length === 0;
    const encode = encoders.compile(operation.output);
    const missing = missingMembers(operation.input);
    return {
      operation: operation.name,
      bodyKind: 'structured',
      bodySizeBytesMax: STRUCTURED_BODY_SIZE_BYTES_MAX,
      payloadMember: undefined,
      outputStreamMember: undefined,
      decodeHead: () => ({}),
      decodeBody(body, input) {
        try {
          Object.assign(input, decode(readJsonObject(body, STRUCTURED_BODY_SIZE_BYTES_MAX)));
        } catch (error) {
          if (!(error instanceof JsonError)) throw error;
          throw new ServiceError('SerializationException', 400, error.message);
        }
        const violation = missing(input);
        if (violation !== undefined) throw new ServiceError('ValidationException', 400, violation);
      },
      encode(output) {
        const headers: Record<string, string> = { 'content-type': AWS_JSON_CONTENT_TYPE };
        if (output.$headers) Object.assign(headers, output.$headers);
        return { status: output.$status ?? 200, headers, body: isUnit ? '' : JSON.stringify(encode(output)) };
      },
    };
  };
}
