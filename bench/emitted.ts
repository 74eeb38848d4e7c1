/** What a library hands to WebAssembly to compile while it works: how many functions, and bytes. */

export interface Emitted {
  readonly functions: number;
  readonly bytes: number;
}

interface WasmApi {
  Module: new (bytes: Uint8Array) => object;
  compile(bytes: Uint8Array): Promise<object>;
}

/** Functions of a module: the length of its section 3. */
const functionsIn = (module: Uint8Array): number => {
  let at = 8;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < module.length) {
    const id = module[at++];
    const size = number();
    if (id === 3) return number();
    at += size;
  }
  return 0;
};

/** Runs `work`, and looks at every module that is compiled meanwhile. */
export const watchEmitted = async (work: () => unknown): Promise<Emitted> => {
  const api = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;
  const { Module, compile } = api;
  let [functions, bytes] = [0, 0];
  const see = (module: Uint8Array): void => {
    functions += functionsIn(module);
    bytes += module.length;
  };
  api.Module = new Proxy(Module, {
    construct: (target, args: [Uint8Array]) => {
      see(args[0]);
      return new target(...args);
    },
  });
  api.compile = module => {
    see(module);
    return compile(module);
  };
  try {
    await work();
  } finally {
    Object.assign(api, { Module, compile });
  }
  return { functions, bytes };
};
