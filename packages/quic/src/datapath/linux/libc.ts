import { getSystemErrorName } from 'node:util';
import { koffiProblem, loadKoffi, type NativeFunction, nativeArena } from '../../native/koffi.ts';

/**
 * The system calls that a UDP socket needs. Pointers are addresses as plain numbers; the numeric results are C's: -1 means that
 * `errno()` tells why.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: number, length: number): number;
  close(fd: number): number;
  getsockname(fd: number, address: number, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: number, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: number, length: number): number;
  sendmsg(fd: number, message: number, flags: number): number;
  recvmsg(fd: number, message: number, flags: number): number;
  inet_pton(family: number, text: string, address: number): number;
  inet_ntop(family: number, address: number, text: number, size: number): number;
  if_nametoindex(name: string): number;
  if_indextoname(index: number, name: number): number;
  errno(): number;
}

/** Linux's numbers, the same on x86-64 and arm64 (asm-generic). */
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_ERROR = 4;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const IPPROTO_IP = 0;
export const IP_TOS = 1;
export const IP_PKTINFO = 8;
export const IP_MTU_DISCOVER = 10;
export const IP_RECVERR = 11;
export const IP_RECVTOS = 13;
export const IPPROTO_UDP = 17;
export const UDP_SEGMENT = 103;
export const UDP_GRO = 104;
export const IPPROTO_IPV6 = 41;
export const IPV6_MTU_DISCOVER = 23;
export const IPV6_RECVERR = 25;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IPV6_RECVTCLASS = 66;
export const IPV6_TCLASS = 67;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_ERRQUEUE = 0x2000;

export const Errno = {
  EPERM: 1,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EINVAL: 22,
  ENOTSOCK: 88,
  EMSGSIZE: 90,
  EADDRNOTAVAIL: 99,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
} as const;

const PROTOTYPES: Record<Exclude<keyof Libc, 'errno'>, string> = {
  socket: 'int socket(int, int, int)',
  bind: 'int bind(int, uintptr_t, uint32_t)',
  close: 'int close(int)',
  getsockname: 'int getsockname(int, uintptr_t, uintptr_t)',
  setsockopt: 'int setsockopt(int, int, int, uintptr_t, uint32_t)',
  getsockopt: 'int getsockopt(int, int, int, uintptr_t, uintptr_t)',
  sendmsg: 'long sendmsg(int, uintptr_t, int)',
  recvmsg: 'long recvmsg(int, uintptr_t, int)',
  inet_pton: 'int inet_pton(int, str, uintptr_t)',
  inet_ntop: 'uintptr_t inet_ntop(int, uintptr_t, uintptr_t, uint32_t)',
  if_nametoindex: 'uint32_t if_nametoindex(str)',
  if_indextoname: 'uintptr_t if_indextoname(uint32_t, uintptr_t)',
};

let loaded: Libc | undefined;

/**
 * The process's own libc.
 * @throws Error without koffi, or when a function is missing
 */
export function loadLibc(): Libc {
  if (loaded !== undefined) return loaded;
  const koffi = loadKoffi();
  if (koffi === undefined) throw new Error(koffiProblem());
  const library = koffi.load(null);
  const functions: Record<string, NativeFunction> = { errno: koffi.errno };
  for (const [name, prototype] of Object.entries(PROTOTYPES)) functions[name] = library.func(prototype);
  loaded = functions as unknown as Libc;
  return loaded;
}

/** An error of a system call in the shape of node's: `code` EADDRINUSE, `syscall` bind, negative `errno`. */
export function systemError(syscall: string, errno: number, host?: string, port?: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  const where = host === undefined ? '' : ` ${host}${port === undefined ? '' : `:${port}`}`;
  const error = Object.assign(new Error(`${syscall} ${code}${where}`), { errno: -errno, code, syscall });
  return host === undefined ? error : Object.assign(error, { address: host }, port === undefined ? {} : { port });
}

/** Memory for calls that take or give a few words through a pointer; nothing is kept in it between calls. */
const SCRATCH_BYTES = 128;
let scratchArena: { readonly address: number; readonly bytes: Uint8Array; readonly words: Int32Array } | undefined;

/** Words (and the same as bytes) for one call at a time. */
export function scratch(): { readonly address: number; readonly bytes: Uint8Array; readonly words: Int32Array } {
  if (scratchArena === undefined) {
    const { address, bytes } = nativeArena(SCRATCH_BYTES);
    scratchArena = { address, bytes, words: new Int32Array(bytes.buffer) };
  }
  return scratchArena;
}
