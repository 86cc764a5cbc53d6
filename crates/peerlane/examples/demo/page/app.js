import { Call } from './call.js';
import { Chart } from './charts.js';
import { StatsReader } from './stats.js';

const $ = id => document.getElementById(id);
const charts = {
  bitrate: new Chart($('c-bitrate'), ['--accent', '--accent-2']),
  rtt: new Chart($('c-rtt'), ['--accent']),
  loss: new Chart($('c-loss'), ['--bad']),
  fps: new Chart($('c-fps'), ['--good']),
};
let call = null;
let poller = null;

for (const tab of document.querySelectorAll('[data-tab]')) {
  tab.onclick = () => {
    for (const other of document.querySelectorAll('[data-tab]')) other.ariaSelected = other === tab ? 'true' : 'false';
    for (const section of document.querySelectorAll('.tab')) section.hidden = section.id !== tab.dataset.tab;
  };
}

export async function start() {
  stop();
  showError(null);
  call = new Call(state => { $('state').textContent = state; });
  call.onError = error => { showError(error); };
  await call.open();
  const reader = new StatsReader(call.pc);
  for (const chart of Object.values(charts)) chart.clear();
  poller = setInterval(async () => show(await reader.read()), 500);
  return call;
}

export function stop() {
  clearInterval(poller);
  call?.close();
  call = null;
}

function show(stats) {
  charts.bitrate.push(stats.sendRate, stats.receiveRate);
  charts.rtt.push(stats.rtt);
  charts.loss.push(stats.loss);
  charts.fps.push(stats.fps);
  $('v-bitrate').textContent = `${bits(stats.sendRate)} out, ${bits(stats.receiveRate)} in`;
  $('v-rtt').textContent = `${(stats.rtt * 1000).toFixed(1)} ms`;
  $('v-loss').textContent = `${(stats.loss * 100).toFixed(1)} %`;
  $('v-fps').textContent = stats.fps.toFixed(0);
  $('facts').replaceChildren(...Object.entries(stats.facts).filter(([, value]) => value).map(([name, value]) => {
    const row = document.createElement('tr');
    for (const text of [name, value]) row.insertCell().textContent = text;
    return row;
  }));
}

function showError(error) {
  $('error').hidden = !error;
  $('error').textContent = error ? String(error.message ?? error) : '';
}

const bits = rate => rate > 1e6 ? `${(rate / 1e6).toFixed(2)} Mbit/s` : `${(rate / 1e3).toFixed(0)} kbit/s`;
const bytes = count => count > 1 << 20 ? `${(count / (1 << 20)).toFixed(1)} MiB` : `${(count / 1024).toFixed(0)} KiB`;

// Echo

export async function echo() {
  let media;
  try {
    media = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
  } catch (error) {
    throw new Error(`Camera and microphone are needed (${error.name}). Allow them for this page, on localhost or over HTTPS.`);
  }
  const { pc } = await start();
  $('echo-local').srcObject = media;
  const remote = new MediaStream();
  $('echo-remote').srcObject = remote;
  pc.ontrack = ({ track }) => remote.addTrack(track);
  for (const track of media.getTracks()) pc.addTrack(track, media);
  const channel = pc.createDataChannel('echo');
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({ data }) => log('in', `← ${typeof data === 'string' ? data : `${data.byteLength} bytes`}`);
  channel.onopen = () => enableEcho(true);
  channel.onclose = () => enableEcho(false);
  $('echo-form').onsubmit = event => {
    event.preventDefault();
    const text = $('echo-text').value;
    if (!text || channel.readyState !== 'open') return;
    channel.send(text);
    log('out', `→ ${text}`);
    $('echo-text').value = '';
  };
  const session = call;
  session.on('recording', ({ on, files }) => {
    $('echo-record').textContent = on ? 'Stop recording' : 'Record';
    $('echo-record').dataset.on = on ? '1' : '';
    if (!files?.length) return;
    if (on) $('echo-files').replaceChildren();
    $('echo-files').append(...files.flatMap(name => {
      const link = document.createElement('a');
      link.href = `recordings/${name}`;
      link.textContent = name;
      link.download = name;
      return [link, ' '];
    }));
  });
  await session.connected.promise;
  return { call: session, channel, media };
}

function enableEcho(on) {
  for (const id of ['echo-record', 'echo-restart', 'echo-stop', 'echo-text']) $(id).disabled = !on;
  $('echo-form').querySelector('button').disabled = !on;
  $('echo-start').disabled = on;
}

function log(kind, text) {
  const line = document.createElement('li');
  line.className = kind;
  line.textContent = text;
  $('echo-log').append(line);
  line.scrollIntoView({ block: 'nearest' });
}

const guarded = action => () => action().catch(error => { showError(error); stop(); enableEcho(false); });
$('echo-start').onclick = guarded(echo);
$('echo-stop').onclick = () => { stop(); enableEcho(false); };
$('echo-restart').onclick = () => call?.pc.restartIce();
$('echo-record').onclick = () => call?.send({ type: 'record', on: !$('echo-record').dataset.on });

// Send a file

const CHUNK = 64 * 1024;

export async function sendFile(blob) {
  $('file-result').textContent = '';
  const { pc, connected } = await start();
  const channel = pc.createDataChannel('file');
  channel.binaryType = 'arraybuffer';
  channel.bufferedAmountLowThreshold = 512 * 1024;
  await new Promise((resolve, reject) => {
    channel.onopen = resolve;
    connected.promise.catch(reject);
  });
  const back = [];
  let received = 0;
  const begun = performance.now();
  const seconds = () => Math.max(1e-3, (performance.now() - begun) / 1000);
  const done = new Promise((resolve, reject) => {
    channel.onclose = () => reject(new Error('The channel closed in the middle of the file.'));
    channel.onmessage = ({ data }) => {
      if (typeof data === 'string') return resolve(JSON.parse(data));
      back.push(data);
      received += data.byteLength;
      $('file-back').value = received / blob.size;
      $('file-back-rate').textContent = `${bytes(received / seconds())}/s`;
    };
  });
  channel.send(JSON.stringify({ size: blob.size }));
  for (let offset = 0; offset < blob.size; offset += CHUNK) {
    if (channel.bufferedAmount > 1 << 20) {
      await new Promise(resolve => { channel.onbufferedamountlow = resolve; });
    }
    if (channel.readyState !== 'open') throw new Error('The channel closed in the middle of the file.');
    channel.send(await blob.slice(offset, offset + CHUNK).arrayBuffer());
    $('file-there').value = Math.min(1, (offset + CHUNK) / blob.size);
    $('file-there-rate').textContent = `${bytes(offset / seconds())}/s`;
  }
  const there = await done;
  const elapsed = seconds();
  const hash = async data => hex(await crypto.subtle.digest('SHA-256', data));
  const ours = await hash(await blob.arrayBuffer());
  const returned = await hash(await new Blob(back).arrayBuffer());
  const same = ours === there.sha256 && ours === returned;
  $('file-result').className = `result ${same ? 'good' : 'bad'}`;
  $('file-result').textContent = same
    ? `SHA-256 ${ours}: the same here, at the Rust peer, and back. ${bytes(blob.size)} there and back in ${elapsed.toFixed(2)} s.`
    : `Not the same! Here ${ours}, at the Rust peer ${there.sha256}, back ${returned}.`;
  channel.onclose = null;
  stop();
  return { same, sha256: ours, size: blob.size, seconds: elapsed };
}

const hex = buffer => [...new Uint8Array(buffer)].map(byte => byte.toString(16).padStart(2, '0')).join('');

export function randomBlob(size) {
  const parts = [];
  for (let left = size; left > 0; left -= 65536) parts.push(crypto.getRandomValues(new Uint8Array(Math.min(left, 65536))));
  return new Blob(parts);
}

$('file-input').onchange = () => { $('file-start').disabled = !$('file-input').files.length; };
$('file-start').onclick = guarded(() => sendFile($('file-input').files[0]));
$('file-sample').onclick = guarded(() => sendFile(randomBlob(8 << 20)));

// Play

export async function play() {
  const session = await start();
  const remote = new MediaStream();
  $('play-remote').srcObject = remote;
  session.pc.ontrack = ({ track }) => remote.addTrack(track);
  session.send({ type: 'play' });
  $('play-start').disabled = true;
  $('play-stop').disabled = false;
  await session.connected.promise;
  return session;
}

$('play-start').onclick = guarded(play);
$('play-stop').onclick = () => { stop(); $('play-start').disabled = false; $('play-stop').disabled = true; };

// `?auto=URL` runs everything without a person and posts what it saw to URL.
const report = new URL(location.href).searchParams.get('auto');
if (report) import('./auto.js').then(({ run }) => run(report));
