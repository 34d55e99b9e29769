/**
 * Bytes of UDP payload that every path of QUIC must carry, RFC 9000 §14, and BASE_PLPMTU of RFC 8899 §5.1.2: what datagrams with
 * Initial packets have at least (§14.1), what path validation asks for (§8.2.1), and where the search for more begins.
 */
export const BASE_DATAGRAM_SIZE = 1200;
