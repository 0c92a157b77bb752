/** The one gate: decides, and hands out the proof of its decision. */
import { evaluate, type Decision, type Demand, type Principal, type RequestFacts } from '../policy/index.ts';
import type { AuditLog } from './events.ts';

/** Who calls, and the facts of the call that conditions and records need. */
export interface Caller {
  principal: Principal;
  requestId: string;
  sourceIp: string;
  secure: boolean;
  /** Signed with Signature Version 4; false for anonymous callers. */
  signed: boolean;
  facts: RequestFacts;
}

const proof = Symbol('authorized');

/**
 * Proof that the gate allowed `demands` for `caller`. Only `Gate.authorize` makes one.
 */
export class Authorized<Input> {
  readonly input: Input;
  readonly caller: Caller;
  readonly demands: readonly Demand[];

  constructor(key: typeof proof, input: Input, caller: Caller, demands: readonly Demand[]) {
    if (key !== proof) throw new Error('only the gate authorizes');
    this.input = input;
    this.caller = caller;
    this.demands = demands;
  }
}

/** A refusal in the gate's own words; services turn it into their AccessDenied. */
export class Denied extends Error {
  readonly caller: Caller;
  readonly demand: Demand;
  readonly because: string;

  constructor(caller: Caller, demand: Demand, because: string) {
    super(denialText(caller, demand, because));
    this.name = 'Denied';
    this.caller = caller;
    this.demand = demand;
    this.because = because;
  }
}

export class Gate {
  readonly log: AuditLog;

  constructor(log: AuditLog) {
    this.log = log;
  }

  /** Throws Denied, naming the first demand that is refused. */
  authorize<Input>(caller: Caller, demands: readonly Demand[], input: Input): Authorized<Input> {
    for (const demand of demands) {
      const decision: Decision = evaluate(caller.principal, demand, caller.facts);
      if (!decision.allowed) throw new Denied(caller, demand, decision.because);
    }
    return new Authorized(proof, input, caller, demands);
  }
}

export function callerArn(caller: Caller): string {
  return caller.principal.kind === 'root' ? caller.principal.arn : '';
}

function denialText(caller: Caller, demand: Demand, because: string): string {
  const who = callerArn(caller) || 'anonymous';
  return `User: ${who} is not authorized to perform: ${demand.action} on resource: ${demand.resource} because ${because}`;
}
