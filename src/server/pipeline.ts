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
import type { Caller, Gate } from '../audit/index.ts';
import type { Clock, HttpRequest, HttpResponse, Payload } from '../base/index.ts';
import type { Principal } from '../policy/index.ts';
import type { Call, CallNotes, Operation, OperationTable } from '../services/operation.ts';
import { decodePayload, hoistedHeaders, serviceOfCredentialScope, verifyRequest, type CredentialLookup, type PayloadLimits } from '../signature/index.ts';
import {
  addressRequest, encodeError, loadedService, notImplemented, openService,
  type Address, type Codec, type ServiceName, type WireService,
} from '../wire/index.ts';
import { primeBody, readWhole } from './body-whole.ts';
import { bodyTooLarge, toServiceError } from './failures.ts';
import type { Answer } from './listener.ts';
import { hostId, newS3RequestId } from './request-ids.ts';
import type { Sent } from './send-response.ts';

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
}

/** How far a caller's clock may be off. */
const skewMs = 900_000;
const wholeBodySizeBytesMax = 1_048_576;
const anonymous: Principal = { kind: 'anonymous' };
const noOperations: OperationTable = new Map();

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
      response = refuse(error, exchange);
    }
    return this.#sign(response, exchange);
  };

  async #perform(received: HttpRequest, exchange: Exchange): Promise<HttpResponse> {
    const { gate, baseDomains } = this.#options;
    const address = addressRequest(received, { baseDomains, scopeService: serviceOfCredentialScope(received) });
    exchange.toService(address.service);
    const wire = loadedService(address.service) ?? (await openService(address.service));
    const { request, name, caller, payload, body } = await (isBodyFirst(address.service)
      ? this.#admitWhole(received, address, wire, exchange)
      : this.#admitStreaming(received, address, wire, exchange));

    const operation = (this.#options.operations[address.service] ?? noOperations).get(name) as Operation<unknown, object> | undefined;
    const codec = wire.codec(name);
    if (!operation || !codec) throw notImplemented(address.service, name);
    const input = codec.decodeHead(request, address);
    if (body) codec.decodeBody(body, input);
    if (codec.bodyKind === 'stream') input[codec.payloadMember as string] = payload.body;
    const call: Call = {
      caller,
      requestId: exchange.requestId,
      headers: request.headers,
      query: address.query,
      payload,
      origin: `${request.secure ? 'https' : 'http'}://${request.headers['host'] ?? 'localhost'}`,
      notes: exchange.notes,
    };

    await operation.before?.(input, call);
    const proof = gate.authorize(caller, await operation.demands(input, call), input);
    if (!body && isReadWhole(codec)) {
      codec.decodeBody(await readWhole(payload.body, codec.bodySizeBytesMax, () => bodyTooLarge(address.service, codec.bodySizeBytesMax)), input);
    }
    const output = await operation.act(proof, call);
    return codec.encode(output as Record<string, unknown>, exchange.requestId);
  }

  /** S3 and Glacier: the signature covers the head, and vouches for the body through what the head says of it. */
  async #admitStreaming(received: HttpRequest, address: Address, wire: WireService, exchange: Exchange): Promise<Admitted> {
    const { clock, lookup, regions, payloadLimits } = this.#options;
    const name = (exchange.operation = wire.route(received, address));
    const verified = await verifyRequest(received, { service: address.service, regions, clock, skewMs, lookup });
    const request = withHoistedHeaders(received);
    const principal = verified.kind === 'anonymous' ? anonymous : verified.identity;
    return {
      request,
      name,
      caller: exchange.callerOf(principal),
      payload: decodePayload(request, verified.payload, payloadLimits),
      body: undefined,
    };
  }

  async #admitWhole(request: HttpRequest, address: Address, wire: WireService, exchange: Exchange): Promise<Admitted> {
    const { clock, lookup, regions } = this.#options;
    if (!wire.routesByBody) exchange.operation = wire.route(request, address);
    const body = await readWhole(request.body, wholeBodySizeBytesMax, () => bodyTooLarge(address.service, wholeBodySizeBytesMax));
    const name = (exchange.operation = wire.route(request, address, body));
    const verified = await verifyRequest(request, { service: address.service, regions, clock, skewMs, lookup, bodySha256: hash('sha256', body, 'hex') });
    const principal = verified.kind === 'anonymous' ? anonymous : verified.identity;
    return { request, name, caller: exchange.callerOf(principal), payload: noPayload, body };
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

interface Admitted {
  request: HttpRequest;
  name: string;
  caller: Caller;
  payload: Payload;
  /** Read already. */
  body: Buffer | undefined;
}

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

function refuse(error: unknown, exchange: Exchange): HttpResponse {
  const { service, request } = exchange;
  const refusal = toServiceError(service, error);
  exchange.errorCode = refusal.code;
  if (refusal.status >= 500) exchange.cause = refusal.cause;
  return encodeError(service, refusal, { requestId: exchange.requestId, hostId, method: request.method, resource: request.rawPath });
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

  callerOf(principal: Principal): Caller {
    const { remoteAddress, secure } = this.request;
    if (principal.kind !== 'anonymous') this.#accessKeyId = principal.accessKeyId;
    return { principal, requestId: this.requestId, sourceIp: remoteAddress, secure, signed: principal.kind !== 'anonymous', facts: {} };
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
