/**
 * The way of one request, readable top to bottom in `Pipeline.handle` and `#perform`:
 *
 *     address -> route -> verify signature -> read head -> before -> demands -> gate -> read body -> act -> write output
 *
 * Services whose input lies in the body (KMS, IAM, STS, CloudTrail) have it read and hashed first, because the
 * signature covers it and the route or the demands depend on it. Each step is another room's; this file only
 * puts them in order, turns what they throw into answers, and tells what became of the request.
 */
import { hash, randomUUID } from 'node:crypto';
import type { Gate } from '../audit/index.ts';
import type { Clock, HttpRequest, HttpResponse, Payload, ServiceError } from '../base/index.ts';
import type { Principal } from '../policy/index.ts';
import type { Call, CallNotes, Operation, OperationTable } from '../services/operation.ts';
import {
  decodePayload, hoistedHeaders, serviceOfCredentialScope, verifyRequest, type CredentialLookup, type PayloadLimits, type VerifyOptions,
} from '../signature/index.ts';
import {
  addressRequest, encodeError, encodeErrorDocument, loadedService, notImplemented, openService,
  type Address, type Codec, type ErrorContext, type RestXmlCodec, type S3Address, type ServiceName, type WireService,
} from '../wire/index.ts';
import { primeBody, readWhole } from './body-whole.ts';
import { verifyBodyDigests } from './body-digest.ts';
import { bodyTooLarge, toServiceError } from './failures.ts';
import type { Answer } from './listener.ts';
import { admitPostUpload, answerPostUpload, postInput } from './post-object.ts';
import { preflightRefusal } from './preflight.ts';
import { hostId, newS3RequestId } from './request-ids.ts';
import type { Sent } from './send-response.ts';
import { answerInTime, isSlow } from './slow-answer.ts';

/** What is told of each request once its answer has left. Never a key, a secret or a signature. */
export interface RequestRecord {
  readonly requestId: string;
  readonly service: ServiceName;
  /** Empty when the request did not get as far as being routed. */
  readonly operation: string;
  readonly method: string;
  readonly status: number;
  /** AWS code of a refusal. */
  readonly errorCode: string | undefined;
  /** What nobody foresaw; only with 5xx answers and broken streams. */
  readonly cause: unknown;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly accessKeyId: string | undefined;
  readonly notes: CallNotes;
}

export interface PipelineOptions {
  gate: Gate;
  clock: Clock;
  /** Regions that a caller may sign for. */
  regions: readonly string[] | 'any';
  /** Host names whose sub-domains are buckets, beside localhost. */
  baseDomains: readonly string[];
  lookup: CredentialLookup<Principal>;
  payloadLimits: PayloadLimits;
  operations: Readonly<Partial<Record<ServiceName, OperationTable>>>;
  observe(record: RequestRecord): void;
  /** When an answer that takes long begins with white space; 10 seconds when absent. */
  keepAliveAfterMs?: number | undefined;
}

/** How far a caller's clock may be off. */
const skewMs = 900_000;
/** A policy of 128 Ki characters, percent-encoded, fits. Anybody may make the server hold so much: nothing is verified before it is read. */
const wholeBodySizeBytesMax = 524_288;
const anonymous: Principal = { kind: 'anonymous' };

export class Pipeline {
  readonly #options: PipelineOptions;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  readonly handle = async (request: HttpRequest): Promise<Answer> => {
    const exchange = new Exchange(request);
    let response: HttpResponse;
    try {
      response = await this.#perform(request, exchange);
      await primeBody(response);
    } catch (error) {
      response = exchange.errorResponse(error);
    }
    return this.#sign(response, exchange);
  };

  async #perform(received: HttpRequest, exchange: Exchange): Promise<HttpResponse> {
    const address = addressRequest(received, { baseDomains: this.#options.baseDomains, scopeService: serviceOfCredentialScope(received) });
    exchange.toService(address.service);
    const wire = loadedService(address.service) ?? (await openService(address.service));
    if (isBodyFirst(address.service)) return this.#performBodyFirst(received, address, wire, exchange);

    // A presigned query may hold what the route depends on, such as a copy source.
    const request = withHoistedHeaders(received);
    const name = (exchange.operation = wire.route(request, address));
    if (name === 'PreflightCors') throw preflightRefusal(request, (address as S3Address).key !== undefined);
    if (name === 'PostObject') return this.#performPostObject(received, address as S3Address, wire, exchange);
    const verified = await verifyRequest(received, this.#verifyOptions(address.service));
    const { operation, codec } = this.#find(address.service, name, wire);
    const input = codec.decodeHead(request, address);
    const payload = decodePayload(request, verified.payload, this.#options.payloadLimits);
    if (codec.bodyKind === 'stream') input[codec.payloadMember as string] = payload.body;
    const call = exchange.callOf(verified.kind === 'anonymous' ? anonymous : verified.identity, request, address.query, payload);

    await operation.before?.(input, call);
    const proof = this.#options.gate.authorize(call.caller, await operation.demands(input, call), input);
    if (isReadWhole(codec)) {
      const body = await readWhole(payload.body, codec.bodySizeBytesMax, () => bodyTooLarge(address.service, codec.bodySizeBytesMax));
      // The checksums of CompleteMultipartUpload are those of the object.
      if (address.service === 's3') verifyBodyDigests(call, body, name !== 'CompleteMultipartUpload');
      codec.decodeBody(body, input);
    }
    if (isSlow(name)) {
      return answerInTime(operation.act(proof, call), codec as RestXmlCodec, (error) => exchange.errorDocument(error), this.#options.keepAliveAfterMs);
    }
    return codec.encode((await operation.act(proof, call)) as Record<string, unknown>, exchange.requestId);
  }

  /** KMS, CloudTrail, IAM, STS: the signature covers the body, which holds the whole input. */
  async #performBodyFirst(request: HttpRequest, address: Address, wire: WireService, exchange: Exchange): Promise<HttpResponse> {
    // Named in the log even when its body or its signature is refused.
    if (!wire.routesByBody) exchange.operation = wire.route(request, address);
    const body = await readWhole(request.body, wholeBodySizeBytesMax, () => bodyTooLarge(address.service, wholeBodySizeBytesMax));
    const name = (exchange.operation = wire.route(request, address, body));
    const verified = await verifyRequest(request, { ...this.#verifyOptions(address.service), bodySha256: hash('sha256', body, 'hex') });
    const { operation, codec } = this.#find(address.service, name, wire);
    const input = codec.decodeHead(request, address);
    codec.decodeBody(body, input);
    const call = exchange.callOf(verified.kind === 'anonymous' ? anonymous : verified.identity, request, address.query, noPayload);

    await operation.before?.(input, call);
    const proof = this.#options.gate.authorize(call.caller, await operation.demands(input, call), input);
    return codec.encode((await operation.act(proof, call)) as Record<string, unknown>, exchange.requestId);
  }

  /** A browser's form: fields take the place of headers, a signed policy that of the signature. */
  async #performPostObject(request: HttpRequest, address: S3Address, wire: WireService, exchange: Exchange): Promise<HttpResponse> {
    const { operations, gate } = this.#options;
    const operation = operations.s3?.get('PostObject') as AnyOperation | undefined;
    const codec = wire.codec('PutObject');
    if (!operation || !codec) throw notImplemented('s3', 'PostObject');
    const upload = await admitPostUpload(request, address, this.#verifyOptions('s3'));
    const input = postInput(wire, upload, request);
    input['Body'] = upload.payload.body;
    const call = exchange.callOf(upload.principal, { ...request, headers: upload.headers }, address.query, upload.payload, upload.signed);

    await operation.before?.(input, call);
    const proof = gate.authorize(call.caller, await operation.demands(input, call), input);
    return answerPostUpload(codec, (await operation.act(proof, call)) as Record<string, unknown>, upload, call.origin);
  }

  #verifyOptions(service: ServiceName): VerifyOptions<Principal> {
    const { clock, lookup, regions } = this.#options;
    return { service, regions, clock, skewMs, lookup };
  }

  /** Throws NotImplemented, naming the operation. */
  #find(service: ServiceName, name: string, wire: WireService): { operation: AnyOperation; codec: Codec } {
    const operation = this.#options.operations[service]?.get(name) as AnyOperation | undefined;
    const codec = wire.codec(name);
    if (!operation || !codec) throw notImplemented(service, name);
    return { operation, codec };
  }

  /** Puts on what every answer carries, and sees to it that the record is told when the answer has left. */
  #sign(response: HttpResponse, exchange: Exchange): Answer {
    const { headers } = response;
    headers['server'] = 'Coffer';
    if (exchange.service === 's3') {
      headers['x-amz-request-id'] = exchange.requestId;
      headers['x-amz-id-2'] = hostId;
    } else {
      headers['x-amzn-requestid'] = exchange.requestId;
    }
    const answer = response as Answer;
    answer.ended = (sent) => this.#options.observe(exchange.record(answer.status, sent));
    return answer;
  }
}

type AnyOperation = Operation<unknown, object>;

const noPayload: Payload = {
  body: {
    async *[Symbol.asyncIterator]() {
      // Read before the operation began.
    },
  },
  decodedLength: 0,
  trailers: () => ({}),
};

function isBodyFirst(service: ServiceName): boolean {
  return service !== 's3' && service !== 'glacier';
}

function isReadWhole({ bodyKind }: Codec): boolean {
  return bodyKind === 'structured' || bodyKind === 'raw-string';
}

/** Headers that a presigner moved into the query count as headers, for every rule that reads headers. */
function withHoistedHeaders(request: HttpRequest): HttpRequest {
  if (request.rawQuery === '') return request;
  const hoisted = hoistedHeaders(request);
  for (const _ in hoisted) return { ...request, headers: { ...request.headers, ...hoisted } };
  return request;
}

/** What is known of one request while it is under way. */
class Exchange {
  readonly request: HttpRequest;
  readonly notes: CallNotes = {};
  readonly #startedMs = performance.now();
  /** S3 until the address says otherwise: what has no address is answered in XML. */
  service: ServiceName = 's3';
  requestId = newS3RequestId();
  operation = '';
  errorCode: string | undefined;
  cause: unknown;
  #accessKeyId: string | undefined;

  constructor(request: HttpRequest) {
    this.request = request;
  }

  toService(service: ServiceName): void {
    this.service = service;
    if (service !== 's3') this.requestId = randomUUID();
  }

  callOf(principal: Principal, request: HttpRequest, query: ReadonlyMap<string, string>, payload: Payload, signed = principal.kind !== 'anonymous'): Call {
    const { requestId, notes } = this;
    const { remoteAddress: sourceIp, secure, headers } = request;
    if (principal.kind !== 'anonymous') this.#accessKeyId = principal.accessKeyId;
    const origin = `${secure ? 'https' : 'http'}://${this.request.headers['host'] ?? 'localhost'}`;
    return { caller: { principal, requestId, sourceIp, secure, signed, facts: {} }, requestId, headers, query, payload, origin, notes };
  }

  /** Notes a refusal for the record; what the caller is told of it. */
  refusal(error: unknown): ServiceError {
    const refusal = toServiceError(this.service, error);
    this.errorCode = refusal.code;
    if (refusal.status >= 500) this.cause = refusal.cause;
    return refusal;
  }

  /** The refusal of an S3 request whose status line has gone out already. */
  errorDocument(error: unknown): string {
    return encodeErrorDocument(this.refusal(error), this.#errorContext());
  }

  errorResponse(error: unknown): HttpResponse {
    return encodeError(this.service, this.refusal(error), this.#errorContext());
  }

  #errorContext(): ErrorContext {
    return { requestId: this.requestId, hostId, method: this.request.method, resource: this.request.rawPath };
  }

  record(status: number, sent: Sent): RequestRecord {
    const { request, notes, service, requestId, operation, errorCode } = this;
    return {
      requestId, service, operation, status, errorCode, notes,
      method: request.method,
      cause: this.cause ?? sent.brokenBy,
      durationMs: performance.now() - this.#startedMs,
      bytesIn: sent.bytesReceived,
      bytesOut: sent.bodyBytes,
      remoteAddress: request.remoteAddress,
      secure: request.secure,
      accessKeyId: this.#accessKeyId,
    };
  }
}
