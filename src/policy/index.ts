/**
 * Pure evaluation: who asks, for what, under which facts; the answer names what decided.
 *
 * The account's root user is the only identity so far: it may do everything in its own account,
 * and nobody else may do anything. IAM policies, key policies and grants join here.
 */

/** Who is asking. `arn` is empty for anonymous callers. */
export type Principal =
  | { kind: 'root'; account: string; arn: string; accessKeyId: string }
  | { kind: 'anonymous' };

/** One thing that a caller wants to do, in the words of IAM. */
export interface Demand {
  /** Such as `s3:GetObject` or `kms:Decrypt`. */
  action: string;
  /** ARN, or `*` for actions that have no resource. */
  resource: string;
  /** The account that owns the resource. */
  resourceAccount: string;
  /** Managed keys of a service (aws/s3) serve callers only through that service. */
  onlyViaService?: string | undefined;
}

/** Facts about the request that conditions may ask for. */
export interface RequestFacts {
  /** Set by our own services when they act in a caller's name, never from anything a client sent. */
  viaService?: string | undefined;
}

export type Decision =
  | { allowed: true; because: string }
  | { allowed: false; because: string };

export function evaluate(principal: Principal, demand: Demand, facts: RequestFacts): Decision {
  if (principal.kind === 'anonymous') {
    return { allowed: false, because: `no resource-based policy allows the ${demand.action} action` };
  }
  if (demand.onlyViaService !== undefined && facts.viaService !== demand.onlyViaService) {
    return { allowed: false, because: `no resource-based policy allows the ${demand.action} action` };
  }
  if (demand.resourceAccount !== principal.account) {
    return { allowed: false, because: `no resource-based policy allows the ${demand.action} action` };
  }
  return { allowed: true, because: 'the account root user' };
}
