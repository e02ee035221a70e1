const { NDArray, SharedMemory } = require('crossmem')
globalThis.a = NDArray.create('gcprobe', { shape: [1<<25] })
const times=[], parts=[]
const pause=Number(process.argv[2])
async function main(){
for (let i=0;i<30;i++){ const t=performance.now(); const b=NDArray.open('gcprobe'); const m=performance.now(); const x=b.data[0]+b.data[b.data.length-1]; const e=performance.now(); b.close(); times.push((e-t)); parts.push(performance.now()-e); await new Promise(r=>setTimeout(r,pause)) }
const f=a=>a.map(x=>x.toFixed(2)).join(' ')
console.log('open', f(times)); console.log('close', f(parts))
globalThis.a.close()
}
main()
