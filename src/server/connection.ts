/**
 * What a connection says about its caller: TLS or not, from where. A proxy's word counts only when the
 * proxy's address was configured; from anybody else those headers are just text.
 */
import { BlockList, isIP, type Socket } from 'node:net';

export interface ConnectionFacts {
  readonly secure: boolean;
  readonly remoteAddress: string;
}

export interface TrustedProxies {
  has(address: string): boolean;
}

/** From addresses and networks such as `10.0.0.0/8` or `::1`, which the configuration has checked. */
export function trustedProxies(networks: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const network of networks) {
    const [address, prefix] = network.split('/') as [string, string?];
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return { has: (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') };
}

const direct = new WeakMap<Socket, ConnectionFacts>();

/** Facts of the connection itself, or of the caller behind a trusted proxy. */
export function connectionFacts(socket: Socket, headers: Readonly<Record<string, string>>, proxies: TrustedProxies | undefined): ConnectionFacts {
  let facts = direct.get(socket);
  if (!facts) {
    facts = { secure: 'encrypted' in socket, remoteAddress: plainAddress(socket.remoteAddress ?? '') };
    direct.set(socket, facts);
  }
  if (proxies === undefined || !proxies.has(facts.remoteAddress)) return facts;
  return {
    secure: lastOf(headers['x-forwarded-proto'])?.toLowerCase() === 'https',
    remoteAddress: callerBehind(facts.remoteAddress, headers['x-forwarded-for'], proxies),
  };
}

/** The right-most address that is no trusted proxy: what stands left of it was written by the caller. */
function callerBehind(proxy: string, forwardedFor: string | undefined, proxies: TrustedProxies): string {
  let caller = proxy;
  for (const entry of (forwardedFor ?? '').split(',').reverse()) {
    const address = plainAddress(entry.trim());
    if (isIP(address) === 0) break;
    caller = address;
    if (!proxies.has(address)) break;
  }
  return caller;
}

function lastOf(list: string | undefined): string | undefined {
  return list?.slice(list.lastIndexOf(',') + 1).trim();
}

/** IPv4 that came over an IPv6 socket, without its `::ffff:`. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
