import { monitorEventLoopDelay } from 'node:perf_hooks';
import zlib from 'node:zlib';
import { spawn } from 'node:child_process';
const child = spawn(process.execPath, ['dist/api/server.js'], { env: { ...process.env, PORT: '18099' }, stdio: ['ignore', 'pipe', 'inherit'] });
await new Promise((r) => child.stdout.once('data', r));
const base='http://127.0.0.1:18099/clusters/demo-ehpc/users/batch';
const MB=1048576-100;
const rep=(s,n=MB)=>s.repeat(Math.floor(n/s.length));
const bodies={
 small: ['application/json', '{}'],
 zeros: ['application/json', Buffer.alloc(MB)],
 deep: ['application/json', rep('[')],
 deepobj: ['application/json', rep('{"a":')],
 tiny: ['application/json', '{"items":['+rep('{},')+'{}]}'],
 keys: ['application/json', '{'+Array.from({length:90000},(_,i)=>`"k${i}":0`).join(',')+'}'],
 keys20: ['application/json', '{'+Array.from({length:9990},(_,i)=>`"k${i}":0`).join(',')+'}'],
 longstr: ['application/json', '{"items":"'+rep('a')+'"}'],
 longkey: ['application/json', '{"'+rep('a')+'":1}'],
 escapes: ['application/json', '{"items":"'+rep('\\\\')+'"}'],
 badslash: ['application/json', rep('"\\')],
 badslash2: ['application/json', '"'+rep('\\')],
 wrong1000: ['application/json', JSON.stringify({items:Array.from({length:1000},()=>({op:'create',username:1,password:1,role:1,directoryMode:1,x:1}))})],
 wrong1000b: ['application/json', JSON.stringify({items:Array.from({length:1000},()=>({op:'create',username:'a'.repeat(500),password:'b',role:'z',x:1}))})],
 good1000: ['application/json', JSON.stringify({items:Array.from({length:1000},(_, i)=>({op:'create',username:'cs'+(10000+i),password:'Choose@Your0wn',role:'member'}))})],
 csvcols: ['text/csv', Array.from({length:100000},(_,i)=>'c'+i).join(',')+'\n1'],
 csvcols2: ['text/csv', rep('username,')+'\n1'],
 csvempty: ['text/csv', 'username,password\n'+rep('\n')],
 csvcommas: ['text/csv', 'username,password\n'+rep(',')],
 csvrows: ['text/csv', 'username,password\n'+rep('a,b\n')],
 csvquotes: ['text/csv', 'username,password\n'+rep('"')],
 csvcr: ['text/csv', 'username,password\n'+rep('\r')],
 csvtabs: ['text/csv', '\n'.repeat(500000)+'username\nx'],
};
// event loop gap estimate by healthz
let max=0, stop=false;
const ping=(async()=>{ while(!stop){ const t=performance.now(); await (await fetch('http://127.0.0.1:18099/healthz')).text(); max=Math.max(max,performance.now()-t); await new Promise(r=>setTimeout(r,2)); } })();
const fs=await import('node:fs');
const cpu=()=>{ const f=fs.readFileSync(`/proc/${child.pid}/stat`,'utf8').split(') ')[1].split(' '); return (Number(f[11])+Number(f[12]))*10; };
for (const [name,[type,body]] of Object.entries(bodies)) for (const enc of ['', 'br']) {
  const raw=Buffer.from(body); const sent= enc? zlib.brotliCompressSync(raw,{params:{[zlib.constants.BROTLI_PARAM_QUALITY]:5}}):raw;
  for(let k=0;k<2;k++){ max=0; const c0=cpu(); const t=performance.now();
  const r=await fetch(base+'?dryRun=true',{method:'POST',headers:{'content-type':type,...(enc&&{'content-encoding':enc})},body:sent}); const text=await r.text();
  if(k) console.log(name.padEnd(11),enc.padEnd(3),String(sent.length).padStart(8),r.status,'answer',String(text.length).padStart(7),'ms',(performance.now()-t).toFixed(0).padStart(5),'gap',max.toFixed(0).padStart(4),'cpu',cpu()-c0, r.status>=400?text.match(/"detail":"([^"]{0,60})/)?.[1]:''); }
}
stop=true; await ping; child.kill('SIGTERM');
