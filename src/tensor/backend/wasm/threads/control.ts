/**
 * Words that threads tell each other things by, in the part of a shared memory below all values. Those that are written
 * often stand 128 bytes apart: no two of them in one line of a cache, nor in the pair that processors fetch together.
 */

/** Of a meeting: how many have come, which one it is, how many sleep until the last has come. */
export const arrivals = 128;
export const meetings = 256;
export const sleepers = 264;
/** Not 0 where a thread has failed: its number and 1, or {@link lost}. Whoever waits leaves. */
export const abort = 512;
/** Whether the main thread may sleep, and how often a thread wakes up in a meeting before it takes others for lost. */
export const mainSleeps = 516;
export const patience = 520;
/** Not 0 while the main thread is in a function from outside of the library, for which others wait as long as it takes. */
export const away = 524;
/** The number of the last job, how many workers sleep until there is a next one, and what it is. */
export const jobs = 640;
export const idlers = 644;
export const job = 648;
/** How many workers have done the last job. */
export const done = 768;
/** Bytes of the message of what failed, and the message. */
export const messageBytes = 832;
export const message = 836;
export const longestMessage = 1024 - message;
/**
 * How many pieces of each thread's part of a work have been taken, by itself or by others: one word of two for each thread, that
 * of a round in which an even number of meetings is over and that of the others, which it clears meanwhile.
 */
export const tickets = 1024;
export const ticketsApart = 128;
export const mostThreads = 64;
/** Here values begin. */
export const end = tickets + mostThreads * ticketsApart;

/** In `abort`: somebody did not come to a meeting. */
export const lost = -1;

/** Nanoseconds that a thread sleeps in a meeting before it looks whether somebody has failed. */
export const napNanoseconds = 2_000_000;

/** The words of a job. */
export const jobWords = ['kind', 'slot', 'arena', 'table', 'threads', 'length', 'library'] as const;
export type JobWord = (typeof jobWords)[number];

/** Kinds of jobs: to make a program ready, to run one, to end. */
export const kinds = { load: 1, run: 2, end: 3 } as const;
