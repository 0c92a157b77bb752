/**
 * Names the S3 operation of a request: sub-resource query first, then the copy-source header, then the method.
 * The table is built from the schemas' URI templates; what they leave open stands in s3-exceptions.ts.
 * Source: contract s3-surface sections 1 and 10.
 */
import { ServiceError } from '../base/errors.ts';
import type { HttpRequest } from '../base/http.ts';
import type { S3Address } from './address.ts';
import { DIRECTORY_BUCKETS_X_ID, IGNORED_QUERY_LITERAL, S3_CONTROL_PATH, SELECTOR_LITERALS, SUBRESOURCE_QUERY_MEMBERS } from './s3-exceptions.ts';
import type { Operation } from './schema.ts';

type Scope = 'service' | 'bucket' | 'key';

interface Candidate {
  readonly operation: string;
  /** Query parts of the URI template, without x-id: name and demanded value ('' for any). */
  readonly literals: readonly (readonly [name: string, value: string])[];
  readonly requiredQuery: readonly string[];
  readonly copies: boolean;
}

interface Routes {
  /** Behind the query names that lead to them, the most demanding first. */
  readonly bySubresource: Map<string, Candidate[]>;
  readonly plain: Candidate[];
}

export type S3Router = (request: HttpRequest, address: S3Address) => string;

const COPY_SOURCE = 'x-amz-copy-source';
const OBJECT_LAMBDA_PATH = 'WriteGetObjectResponse';

/**
 * Compiles the table once. The router answers an operation name, or one of the two that no schema knows: `PostObject`
 * (browser form) and `PreflightCors`. Throws ServiceError MethodNotAllowed (405) where nothing is there to be called.
 */
export function compileS3Router(operations: ReadonlyMap<string, Operation>): S3Router {
  const routesOf = new Map<string, Routes>();
  const subresources = new Set<string>(SUBRESOURCE_QUERY_MEMBERS);

  for (const operation of operations.values()) {
    if (operation.name === OBJECT_LAMBDA_PATH) continue;
    const [method, uri] = operation.http!;
    const candidate = candidateOf(operation);
    const scope: Scope = uri.startsWith('/{Key+}') ? 'key' : operation.input.members.some((member) => member.name === 'Bucket') ? 'bucket' : 'service';
    const slot = `${method} ${scope}`;
    let routes = routesOf.get(slot);
    if (!routes) routesOf.set(slot, (routes = { bySubresource: new Map(), plain: [] }));
    const triggers = candidate.literals.length > 0 ? candidate.literals.map(([name]) => name) : candidate.requiredQuery;
    if (triggers.length === 0) insertByDemand(routes.plain, candidate);
    for (const trigger of triggers) {
      let list = routes.bySubresource.get(trigger);
      if (!list) routes.bySubresource.set(trigger, (list = []));
      insertByDemand(list, candidate);
    }
    for (const [name] of candidate.literals) if (!SELECTOR_LITERALS.has(name)) subresources.add(name);
  }

  return (request, address) => {
    const { method } = request;
    if (method === 'OPTIONS') return 'PreflightCors';
    if (request.rawPath.startsWith(S3_CONTROL_PATH)) throw methodNotAllowed(method, 'S3CONTROL');
    const scope: Scope = address.key !== undefined ? 'key' : address.bucket !== undefined ? 'bucket' : 'service';
    const routes = routesOf.get(`${method} ${scope}`);
    if (address.query.size > 0) {
      for (const name of address.query.keys()) {
        const candidates = routes?.bySubresource.get(name);
        const chosen = candidates && choose(candidates, request, address);
        if (chosen) return chosen.operation;
      }
      for (const name of address.query.keys()) {
        if (subresources.has(name)) throw methodNotAllowed(method, name.replaceAll('-', '').toUpperCase());
      }
    }
    if (scope === 'bucket' && method === 'POST') {
      return address.bucket === OBJECT_LAMBDA_PATH ? OBJECT_LAMBDA_PATH : 'PostObject';
    }
    if (scope === 'service' && method === 'GET') {
      return address.query.get(IGNORED_QUERY_LITERAL) === DIRECTORY_BUCKETS_X_ID ? 'ListDirectoryBuckets' : 'ListBuckets';
    }
    const chosen = routes && choose(routes.plain, request, address);
    if (!chosen) throw methodNotAllowed(method, scope === 'key' ? 'OBJECT' : scope.toUpperCase());
    return chosen.operation;
  };
}

/**
 * The first candidate whose demands are all met. Where only a required parameter is missing, the least demanding one
 * all the same: its decoder names what is missing, while falling through would turn an UploadPart into a PutObject.
 */
function choose(candidates: readonly Candidate[], request: HttpRequest, address: S3Address): Candidate | undefined {
  let incomplete: Candidate | undefined;
  for (const candidate of candidates) {
    if (candidate.copies && request.headers[COPY_SOURCE] === undefined) continue;
    if (!candidate.literals.every(([name, value]) => value === '' ? address.query.has(name) : address.query.get(name) === value)) continue;
    if (candidate.requiredQuery.every((name) => address.query.has(name))) return candidate;
    // A copying candidate stands first and stays chosen: the header was sent.
    if (incomplete === undefined || !incomplete.copies) incomplete = candidate;
  }
  return incomplete;
}

function candidateOf(operation: Operation): Candidate {
  const [, uri] = operation.http!;
  const queryTemplate = uri.split('?')[1] ?? '';
  return {
    operation: operation.name,
    literals: queryTemplate
      .split('&')
      .map((part) => part.split('=') as [string, string?])
      .filter(([name]) => name !== '' && name !== IGNORED_QUERY_LITERAL)
      .map(([name, value]) => [name, value ?? ''] as const),
    requiredQuery: operation.input.members.flatMap((member) => (member.required && member.own.httpQuery !== undefined ? [member.own.httpQuery] : [])),
    copies: operation.input.members.some((member) => member.required && member.own.httpHeader === COPY_SOURCE),
  };
}

function insertByDemand(list: Candidate[], candidate: Candidate): void {
  list.push(candidate);
  list.sort((a, b) => Number(b.copies) - Number(a.copies) || b.literals.length - a.literals.length || b.requiredQuery.length - a.requiredQuery.length);
}

function methodNotAllowed(method: string, resourceType: string): ServiceError {
  return new ServiceError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    details: { Method: method, ResourceType: resourceType },
  });
}
