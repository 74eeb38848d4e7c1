/** What a device has to do, one job after the other. */

/** Done when it returns, or when the promise it returns settles. Never throws, nor rejects. */
export type Job = () => void | Promise<void>;

export class Jobs {
  /** Those that have had their turn, until they are cut off, are null: what they refer to must not be held. */
  #all: (Job | null)[] = [];
  #next = 0;
  #busy = false;

  /** Runs a job after those before it: at once, when there are none. */
  add(job: Job): void {
    this.#all.push(job);
    if (!this.#busy) this.#run();
  }

  #run(): void {
    this.#busy = true;
    while (this.#next < this.#all.length) {
      const running = this.#take()();
      if (running !== undefined) {
        void running.then(() => this.#run());
        return;
      }
    }
    this.#busy = false;
  }

  #take(): Job {
    const job = this.#all[this.#next]!;
    this.#all[this.#next] = null;
    this.#next += 1;
    if (2 * this.#next >= this.#all.length) {
      this.#all = this.#all.slice(this.#next);
      this.#next = 0;
    }
    return job;
  }
}
