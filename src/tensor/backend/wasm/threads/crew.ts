/**
 * Sharing work between threads, as instructions. All threads run the same functions with the same arguments, but for their
 * number; what the functions here write says who does what.
 */
import { FunctionWriter, type Local } from '../assembler.js';
import {
  abort,
  arrivals,
  away,
  lost,
  mainSleeps,
  meetings,
  napNanoseconds,
  patience,
  sleepers,
  tickets,
  ticketsApart,
} from './control.js';

/** A function that is being written for several threads. */
export interface Crew {
  readonly writer: FunctionWriter;
  /** The number of the thread, and how many there are: 1 also where nothing is shared. */
  readonly thread: Local;
  readonly threads: Local;
  /** Whether only the first thread comes here. */
  alone: boolean;
  /** What was done since all met, which not everybody can rely on. */
  since: 'nothing' | 'solo' | 'shared';
}

/**
 * Looks at the meeting before a thread goes to sleep: some 200 µs, which is more than it takes to wake one. With fewer, two
 * threads take turns in waking each other, each asleep again before the other is there (16 µs a meeting instead of 0.25).
 */
const glances = 60_000;
/** As many as take about a nap, for a thread that must not sleep. */
const napGlances = 1_000_000;

const load = (f: FunctionWriter, address: number): FunctionWriter => f.i32(address).atomic('i32.atomic.load');
const store = (f: FunctionWriter, address: number, value: number): FunctionWriter =>
  f.i32(address).i32(value).atomic('i32.atomic.store');
const add = (f: FunctionWriter, address: number, value: number): FunctionWriter =>
  f.i32(address).i32(value).atomic('i32.atomic.rmw.add');

/** Leaves by a trap when somebody has failed. */
const leaveIfAborted = (f: FunctionWriter): void => {
  load(f, abort).if(() => f.op('unreachable'));
};

/** The last to come: the others go on. */
const open = (f: FunctionWriter): void => {
  store(f, arrivals, 0);
  add(f, meetings, 1).op('drop');
  load(f, sleepers).if(() => f.i32(meetings).i32(-1).atomic('memory.atomic.notify').op('drop'));
};

/** Looks whether the meeting is over, so many times. */
const glance = (f: FunctionWriter, meeting: Local, times: number): void => {
  const [count, limit] = [f.i32(0).keep('i32'), f.i32(times).keep('i32')];
  f.loop(count, limit, 1, () => {
    load(f, meetings)
      .get(meeting)
      .op('i32.ne')
      .if(() => f.op('return'));
    leaveIfAborted(f);
  });
};

/** The address of a thread's tickets in the round after a meeting, left on the stack. */
const ticketsOf = (f: FunctionWriter, thread: Local, meeting: Local): FunctionWriter =>
  f
    .get(thread)
    .i32(ticketsApart)
    .op('i32.mul')
    .get(meeting)
    .i32(1)
    .op('i32.and')
    .i32(2)
    .op('i32.shl', 'i32.add')
    .i32(tickets)
    .op('i32.add');

/**
 * (count, thread, threads): the index of a piece of work below the count that nobody has done, or −1. Everybody has a run of them,
 * which he takes first: so a thread finds in its own caches what it has made of its part of the work before. Who has done his
 * helps the others.
 */
const writeTake = (): FunctionWriter => {
  const f = new FunctionWriter(['i32', 'i32', 'i32'], ['i32']);
  const [count, thread, threads] = [0, 1, 2];
  const meeting = load(f, meetings).keep('i32');
  const [owner, looked] = [f.get(thread).keep('i32'), f.i32(0).keep('i32')];
  /** Where the run of the owner begins, or that of the next one. */
  const runAfter = (more: number): Local =>
    f.get(owner).i32(more).op('i32.add').get(count).op('i32.mul').get(threads).op('i32.div_u').keep('i32');
  f.loop(looked, threads, 1, () => {
    const address = ticketsOf(f, owner, meeting).keep('i32');
    const first = runAfter(0);
    const length = f.get(runAfter(1), first).op('i32.sub').keep('i32');
    // Looking does not take the word away from whose it is.
    f.get(address)
      .atomic('i32.atomic.load')
      .get(length)
      .op('i32.lt_u')
      .if(() => {
        const taken = f.get(address).i32(1).atomic('i32.atomic.rmw.add').keep('i32');
        f.get(taken, length)
          .op('i32.lt_u')
          .if(() => f.get(first, taken).op('i32.add', 'return'));
      });
    f.get(owner)
      .i32(1)
      .op('i32.add')
      .tee(owner)
      .get(threads)
      .op('i32.eq')
      .if(() => f.i32(0).set(owner));
  });
  f.i32(-1);
  return f;
};

const take = writeTake();

/** (thread, threads): returns when all threads have called it. */
const writeMeeting = (): FunctionWriter => {
  const f = new FunctionWriter(['i32', 'i32']);
  const [thread, threads] = [0, 1];
  f.get(threads)
    .i32(2)
    .op('i32.lt_s')
    .if(() => f.op('return'));
  const meeting = load(f, meetings).keep('i32');
  // Of the next round: nobody has taken any of these since all met last.
  ticketsOf(f, thread, f.get(meeting).i32(1).op('i32.add').keep('i32')).i32(0).atomic('i32.atomic.store');
  add(f, arrivals, 1)
    .i32(1)
    .op('i32.add')
    .get(threads)
    .op('i32.eq')
    .if(() => {
      open(f);
      f.op('return');
    });
  glance(f, meeting, glances);
  const naps = f.i32(0).keep('i32');
  f.while(
    () => load(f, meetings).get(meeting).op('i32.eq'),
    () => {
      leaveIfAborted(f);
      f.get(naps).i32(1).op('i32.add');
      load(f, away).op('i32.eqz', 'i32.mul').tee(naps);
      load(f, patience)
        .op('i32.gt_u')
        .if(() => store(f, abort, lost).op('unreachable'));
      f.get(thread).op('i32.eqz');
      load(f, mainSleeps)
        .op('i32.eqz', 'i32.and')
        .if(
          () => glance(f, meeting, napGlances),
          () => {
            // Whoever opens looks for sleepers afterwards: so this one is seen, or sees that it need not sleep.
            add(f, sleepers, 1).op('drop');
            f.i32(meetings).get(meeting).i32(napNanoseconds).op('i64.extend_i32_s');
            f.atomic('memory.atomic.wait32').op('drop');
            add(f, sleepers, -1).op('drop');
          },
        );
    },
  );
  return f;
};

const meeting = writeMeeting();

/** All threads wait for all; what any of them has written is there for all from now on. Written in a loop, so must be its end. */
export const meet = (crew: Crew): void => {
  if (crew.alone) return;
  crew.writer.get(crew.thread, crew.threads).call(meeting);
  crew.since = 'nothing';
};

/** All meet if anything was done since they last met. */
export const settle = (crew: Crew): void => {
  if (crew.since !== 'nothing') meet(crew);
};

/**
 * `body` for every index below the count, each on one thread: an early index on an early thread, if that comes first. Ends without
 * waiting: nothing else can be shared or rely on it before all have met. They meet before, if need be.
 */
export const share = (crew: Crew, count: Local, body: (index: Local) => void): void => {
  const { writer, threads, alone } = crew;
  const index = writer.i32(alone ? 0 : -1).keep('i32');
  if (alone) {
    writer.loop(index, count, 1, () => body(index));
    return;
  }
  settle(crew);
  const several = writer.get(threads).i32(1).op('i32.gt_s').keep('i32');
  writer.while(
    () => {
      // A thread by itself counts on its own: nobody else knows of it.
      writer.get(several).if(
        () => writer.get(count, crew.thread, threads).call(take).set(index),
        () => writer.get(index).i32(1).op('i32.add').set(index),
      );
      writer.get(index, count).op('i32.lt_u');
    },
    () => body(index),
  );
  crew.since = 'shared';
};

/** `body` on the first thread only; others go on, and rely on it when all have met. It begins when all that was shared is done. */
export const solo = (crew: Crew, body: () => void): void => {
  if (crew.alone) {
    body();
    return;
  }
  if (crew.since === 'shared') meet(crew);
  crew.alone = true;
  crew.writer.get(crew.thread).op('i32.eqz').if(body);
  crew.alone = false;
  crew.since = 'solo';
};
