import { add, mul, realize, tensor, type Tensor } from 'tenfold';
const x = realize(tensor(Float32Array.from({length:16},(_, i)=>i),[16])) as Tensor;
for (let i = 0; i < 400000; i++) add(mul(x,3),2).dataSync();
