/** Bytes being written, numbers in the variable length of WebAssembly (LEB128). */
export class Bytes {
  #array = new Uint8Array(256);
  length = 0;

  push(byte: number): void {
    if (this.length === this.#array.length) this.#grow(1);
    this.#array[this.length++] = byte;
  }

  append(bytes: ArrayLike<number>): void {
    if (this.length + bytes.length > this.#array.length) this.#grow(bytes.length);
    this.#array.set(bytes, this.length);
    this.length += bytes.length;
  }

  unsigned(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.push((rest % 128) | 0x80);
    this.push(rest);
  }

  /** An i32. */
  signed(value: number): void {
    let rest = value;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.push(low);
        return;
      }
      this.push(low | 0x80);
    }
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.unsigned(bytes.length);
    this.append(bytes);
  }

  /** Replaces bytes that are there: a number in five of them, which hold every index. */
  patch(at: number, value: number): void {
    for (let i = 0; i < 5; i++) this.#array[at + i] = ((value >>> (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0);
  }

  /** What has been written; a view that the next write may leave behind. */
  get written(): Uint8Array {
    return this.#array.subarray(0, this.length);
  }

  #grow(missing: number): void {
    const larger = new Uint8Array(Math.max(2 * this.#array.length, this.length + missing));
    larger.set(this.written);
    this.#array = larger;
  }
}
