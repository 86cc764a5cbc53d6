// The page without a person: every feature once, with figures from the browser's own getStats.

import { echo, play, randomBlob, sendFile, stop } from './app.js';
import { StatsReader } from './stats.js';

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

async function watch(pc, seconds) {
  const reader = new StatsReader(pc);
  const first = await reader.read();
  await sleep(seconds * 1000);
  const last = await reader.read();
  return {
    fps: (last.sum.decoded - first.sum.decoded) / seconds,
    frames: last.sum.decoded,
    audioEnergy: last.sum.energy,
    rtt: last.rtt,
    facts: last.facts,
  };
}

async function echoCase() {
  const { call, channel } = await echo();
  if (channel.readyState !== 'open') await new Promise(resolve => { channel.onopen = resolve; });
  const sizes = [0, 1, 1200, 65536, 262144];
  let echoed = 0;
  for (const size of sizes) {
    const sent = new Uint8Array(size).map((_, i) => i * 7);
    const answer = new Promise(resolve => channel.addEventListener('message', ({ data }) => resolve(data), { once: true }));
    channel.send(sent);
    const got = new Uint8Array(await answer);
    if (got.length !== size || got.some((byte, i) => byte !== sent[i])) throw new Error(`${size} bytes came back changed`);
    echoed += size;
  }
  const text = new Promise(resolve => channel.addEventListener('message', ({ data }) => resolve(data), { once: true }));
  channel.send('héllo');
  if (await text !== 'héllo') throw new Error('text came back changed');

  const recording = new Promise(resolve => { call.handlers.recording = resolve; });
  call.send({ type: 'record', on: true });
  await recording;
  const media = await watch(call.pc, 4);
  const files = [];
  call.handlers.recording = message => files.push(...(message.files ?? []));
  call.send({ type: 'record', on: false });
  await sleep(1000);
  const recorded = [];
  for (const name of files) recorded.push({ name, bytes: (await (await fetch(`recordings/${name}`)).arrayBuffer()).byteLength });

  const before = call.pc.localDescription.sdp.match(/a=ice-ufrag:(\S+)/)[1];
  call.pc.restartIce();
  for (let i = 0; i < 100; i++) {
    await sleep(50);
    if (call.pc.signalingState === 'stable' && call.pc.localDescription.sdp.match(/a=ice-ufrag:(\S+)/)[1] !== before) break;
  }
  await sleep(1000);
  const after = await watch(call.pc, 3);
  const restarted = call.pc.localDescription.sdp.match(/a=ice-ufrag:(\S+)/)[1] !== before;
  stop();
  return { echoed, media, recorded, restart: { restarted, fps: after.fps } };
}

async function playCase() {
  const { pc } = await play();
  await sleep(500);
  const media = await watch(pc, 4);
  stop();
  return { media };
}

export async function run(url) {
  const result = {};
  const step = async (name, action) => {
    try {
      result[name] = await Promise.race([action(), sleep(40000).then(() => { throw new Error('took longer than 40 s'); })]);
    } catch (error) {
      result[name] = { error: String(error.message ?? error) };
      stop();
    }
  };
  await step('echo', echoCase);
  await step('file', () => sendFile(randomBlob(16 << 20)));
  await step('play', playCase);
  await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(result) });
}
