/**
 * The six services, each loaded when first asked for: importing a client module costs 150 to 250 ms, so S3 and KMS are
 * opened at start and the others on their first request. Codecs are compiled at their first use and kept.
 */
import type { HttpRequest } from '../base/http.ts';
import type { Address, S3Address, ServiceName } from './address.ts';
import { awsJsonCompiler, routeJson } from './aws-json.ts';
import type { Codec } from './codec.ts';
import { queryCompiler, routeQuery } from './query.ts';
import { compileRestJsonRouter, restJsonCompiler } from './rest-json.ts';
import { compileRestXmlCodec, type RestXmlCodec } from './rest-xml.ts';
import { s3AllowedValues } from './s3-enums.ts';
import { compileS3Router } from './s3-router.ts';
import { operationsOf, type Operation } from './schema.ts';

export interface WireService<C extends Codec = Codec> {
  readonly service: ServiceName;
  /** Every operation of the official model. */
  readonly operations: ReadonlyMap<string, Operation>;
  /** The route lies in the form body (Query protocol): read the body first. */
  readonly routesByBody: boolean;
  /** The operation's name. Throws ServiceError when there is none. */
  route(request: HttpRequest, address: Address, body?: Uint8Array): string;
  /** Compiled at first use. Undefined for the pseudo operations PostObject and PreflightCors. */
  codec(operation: string): C | undefined;
}

const opened = new Map<ServiceName, Promise<WireService>>();
const ready = new Map<ServiceName, WireService>();

/** Loads a service once. */
export function openService(service: 's3'): Promise<WireService<RestXmlCodec>>;
export function openService(service: ServiceName): Promise<WireService>;
export function openService(service: ServiceName): Promise<WireService> {
  let promise = opened.get(service);
  if (!promise) {
    promise = load(service).then((loaded) => {
      ready.set(service, loaded);
      return loaded;
    });
    opened.set(service, promise);
    // A failed import must not be remembered for ever.
    promise.catch(() => opened.delete(service));
  }
  return promise;
}

/** The service when it is loaded already; spares the hot path a promise. */
export function loadedService(service: ServiceName): WireService | undefined {
  return ready.get(service);
}

async function load(service: ServiceName): Promise<WireService> {
  switch (service) {
    case 's3': {
      const module = await import('@aws-sdk/client-s3');
      const operations = operationsOf(module);
      const router = compileS3Router(operations);
      const allowedValues = s3AllowedValues(module);
      return assemble(service, operations, (operation) => compileRestXmlCodec(operation, allowedValues), (request, address) => router(request, address as S3Address));
    }
    case 'kms': {
      const operations = operationsOf(await import('@aws-sdk/client-kms'));
      return assemble(service, operations, awsJsonCompiler(), (request) => routeJson(request, operations));
    }
    case 'cloudtrail': {
      const operations = operationsOf(await import('@aws-sdk/client-cloudtrail'));
      return assemble(service, operations, awsJsonCompiler(), (request) => routeJson(request, operations));
    }
    case 'iam': {
      const operations = operationsOf(await import('@aws-sdk/client-iam'));
      return assemble(service, operations, queryCompiler(service), (_, address, body) => routeQuery(service, address, body, operations));
    }
    case 'sts': {
      const operations = operationsOf(await import('@aws-sdk/client-sts'));
      return assemble(service, operations, queryCompiler(service), (_, address, body) => routeQuery(service, address, body, operations));
    }
    case 'glacier': {
      const operations = operationsOf(await import('@aws-sdk/client-glacier'));
      const router = compileRestJsonRouter(operations);
      return assemble(service, operations, restJsonCompiler(), router);
    }
  }
}

function assemble(
  service: ServiceName,
  operations: ReadonlyMap<string, Operation>,
  compile: (operation: Operation) => Codec,
  route: WireService['route'],
): WireService {
  const codecs = new Map<string, Codec>();
  return {
    service,
    operations,
    routesByBody: service === 'iam' || service === 'sts',
    route,
    codec(name) {
      let codec = codecs.get(name);
      if (codec) return codec;
      const operation = operations.get(name);
      if (!operation) return undefined;
      codec = compile(operation);
      codecs.set(name, codec);
      return codec;
    },
  };
}
