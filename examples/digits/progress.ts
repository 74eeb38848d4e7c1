/**
 * How far the training is. On a terminal a bar that redraws itself; anywhere else (a pipe, a log file, CI) a line every
 * 5 % of the steps, since a redrawn bar there is noise. Both tell the same facts.
 */

import { SingleBar } from 'cli-progress';

interface ProgressInfo {
  readonly loss: number;
  readonly imagesPerSecond: number;
}

export interface Progress {
  /** `step` steps of the total are done. */
  readonly update: (step: number, info: ProgressInfo) => void;
  /** Call it at the end, after an error too: the bar holds a timer, and the cursor's line. */
  readonly stop: () => void;
}

/** Seconds as `5s`, `1m 05s` or `2h 03m`. */
export const formatDuration = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${pad(Math.floor((whole % 3600) / 60))}m`;
};

/** The facts of one update as text, for the bar and for the lines. */
const describe = (loss: number, imagesPerSecond: number, left: number) => ({
  loss: loss.toPrecision(4),
  speed: imagesPerSecond.toFixed(imagesPerSecond < 100 ? 1 : 0),
  left: formatDuration(left),
});

const bar = (total: number, start: number, stream: NodeJS.WriteStream) => {
  const drawn = new SingleBar({
    stream,
    format: '{bar} {value}/{total}  loss {loss}  {speed} images/s  {left} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: Math.min(30, Math.max(8, (stream.columns ?? 80) - 58)),
    // Cut a line that is too long, and leave the terminal's own settings alone: an interrupt could not put them back.
    linewrap: true,
    hideCursor: null,
  });
  drawn.start(total, start, { loss: '-', speed: '-', left: '-' });
  return {
    show: (step: number, facts: ReturnType<typeof describe>) => drawn.update(step, facts),
    stop: () => drawn.stop(),
  };
};

const lines = (total: number, start: number, stream: NodeJS.WriteStream) => {
  const every = Math.max(1, Math.round((total - start) / 20));
  let written = start;
  let pending: string | undefined;
  const flush = () => {
    if (pending !== undefined) stream.write(pending);
    pending = undefined;
  };
  return {
    show: (step: number, { loss, speed, left }: ReturnType<typeof describe>) => {
      const count = `${String(step).padStart(String(total).length)}/${total}`;
      pending = `step ${count}  loss ${loss}  ${speed} images/s  ${left} left\n`;
      if (step < total && step - written < every) return;
      written = step;
      flush();
    },
    // A run that ends early still tells its last step.
    stop: flush,
  };
};

/**
 * Show the progress of a run of `total` steps, `start` of which were made before this process. The time left is
 * reckoned from the steps made here. `now` gives milliseconds.
 */
export const progress = (
  total: number,
  start: number,
  stream: NodeJS.WriteStream,
  now: () => number = () => performance.now(),
): Progress => {
  if (!Number.isSafeInteger(total) || !Number.isSafeInteger(start) || start < 0 || start > total) {
    throw new Error(`progress: got total ${total} and start ${start}; give integers with 0 <= start <= total`);
  }
  const view = stream.isTTY ? bar(total, start, stream) : lines(total, start, stream);
  const began = now();
  let stopped = false;
  return Object.freeze({
    update: (step: number, { loss, imagesPerSecond }: ProgressInfo) => {
      const left = ((now() - began) / 1000 / (step - start)) * (total - step);
      view.show(step, describe(loss, imagesPerSecond, left));
    },
    stop: () => {
      if (!stopped) view.stop();
      stopped = true;
    },
  });
};
