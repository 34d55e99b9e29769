/*
 * How long this layer waits for a peer that is there; docs/protocol.md tells users. All in milliseconds. A peer that is gone is noticed
 * by the connection's own idle timeout (session-options.ts).
 */

/** That a stranger has to show its token, and one with a token to say what it wants. */
export const INTRODUCTION_TIME = 10_000;

/** That a client waits for an answer that takes the server no work. */
export const ANSWER_TIME = 15_000;

/** Without anything moving, after which a transfer or a measured iteration is given up. */
export const STALL_TIME = 30_000;

/** Between two words of a side that makes the other wait: `working`, `waiting`. */
export const WORD_TIME = 5_000;

/**
 * That a sender waits for a receiver that does not know to say `working`, whose disk may have gigabytes to write; and a receiver for a sender that says
 * nothing else.
 */
export const STORE_TIME = 600_000;

/** That a sender waits for a receiver that says nothing but `working`. */
export const WORK_TIME = 3_600_000;

/** That the most patient client stands in line. */
export const LINE_TIME = 3_600_000;

/** That a peer has to say goodbye, to hear why it is refused, or to hand in its statistics when the file is already stored. */
export const GOODBYE_TIME = 5_000;

/** That a client stays for the server's last FIN. */
export const PARTING_TIME = 2_000;
