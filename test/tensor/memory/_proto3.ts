import * as T from 'tenfold';
const big = (s:number[], v=1)=>T.broadcastTo(T.mul(T.tensor(v),1) as any, s as any) as any;
const cases: Record<string, ()=>unknown> = {
 sum8: ()=>(T.sum(T.concat([big([2**30]),big([2**30])] as any) as any) as any).item(),
 ones: ()=>T.ones([2**31]).dataSync().length,
 ones40: ()=>T.ones([2**40]).dataSync().length,
 ones60: ()=>T.ones([2**30,2**30]).dataSync().length,
 ones80: ()=>T.ones([2**40,2**40]).dataSync().length,
 sort: ()=>(T as any).sort(big([2**31])).dataSync(),
 mm: ()=>(T.matmul(big([2**16,2]), big([2,2**16])) as any).dataSync(),
 mmsum: ()=>(T.sum(T.matmul(big([2**16,2]), big([2,2**16])) as any) as any).item(),
 fold: ()=>{const [c,ys]=(T as any).scan((c:any,x:any)=>[c, big([2**20])])(T.tensor(0), big([2**12])); return ys.dataSync()},
 fold2: ()=>(T.fold as any)((c:any)=>T.add(c, T.sum(T.sort(big([2**31])) as any)))(T.tensor(0), 3).item(),
 cumsum: ()=>(T as any).cumsum(big([2**31])).dataSync(),
 sumhuge: ()=>(T.sum(big([2**33])) as any).item(),
 gather: ()=>(T as any).take(big([2**10, 2**10]), big([2**22]), {axis:0}).dataSync(),
 item: ()=>(T.max(T.sin(big([2**33])) as any) as any).item(),
};
for (const [k,f] of Object.entries(cases)) { if (process.argv[2] && process.argv[2]!==k) continue; const t=performance.now(); try { console.log(k, f()); } catch(e:any){ console.log(k, e._tag, e.message.slice(0,300)); } console.log('   ', (performance.now()-t).toFixed(0),'ms'); }
