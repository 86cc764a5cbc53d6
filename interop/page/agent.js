// The browser's side of a scenario: it does what the test program tells it over a WebSocket, one call at a time, and
// answers with JSON. `peers/aiortc/peer.py` understands the same calls.

'use strict';

let pc = null;
let channels = new Map();
let arrivals = [];
let tracks = [];

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

async function until(what, test, ms = 15000) {
  const end = performance.now() + ms;
  while (!test()) {
    if (performance.now() > end) throw new Error(`${what}: not after ${ms} ms`);
    await sleep(10);
  }
}

function adopt(channel) {
  const entry = { channel, echo: false, drain: false, messages: [], opened: 0, closed: 0, sent: 0, received: 0, bad: 0 };
  channel.binaryType = 'arraybuffer';
  channel.onopen = () => entry.opened++;
  channel.onclose = () => entry.closed++;
  channel.onmessage = ({ data }) => {
    if (entry.drain) {
      if (!isBulk(entry.received, data)) entry.bad++;
      entry.received++;
    } else if (entry.echo) {
      channel.send(data);
    } else {
      entry.messages.push(data);
    }
  };
  channels.set(channel.label, entry);
  return entry;
}

// Byte `i` of message `n` is `(n * 31 + i * 7) mod 251`: every size and every message looks different.
function pattern(n, size) {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (n * 31 + i * 7) % 251;
  return bytes;
}

// A message of a bulk transfer: its number in four bytes, then a pattern that all of them share.
const BULK = pattern(0, 1 << 18);

function bulk(n, size) {
  const bytes = BULK.slice(0, size);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

// Looks at the number and at one byte in 61: the whole comparison would measure itself.
function isBulk(n, data) {
  const bytes = new Uint8Array(data);
  if (bytes.length < 4 || new DataView(data).getUint32(0) !== n) return false;
  for (let i = 4; i < bytes.length; i += 61) if (bytes[i] !== BULK[i]) return false;
  return true;
}

const length = data => (typeof data === 'string' ? new TextEncoder().encode(data).length : data.byteLength);

const calls = {
  async new({ config }) {
    calls.close();
    pc = new RTCPeerConnection(config ?? {});
    channels = new Map();
    arrivals = [];
    tracks = [];
    pc.ondatachannel = ({ channel }) => { arrivals.push(channel.label); adopt(channel); };
    pc.ontrack = ({ track }) => {
      tracks.push(track);
      const element = document.getElementById(track.kind);
      element.srcObject = new MediaStream([track]);
      element.play().catch(() => {});
    };
  },

  async create_channel({ label, init }) { adopt(pc.createDataChannel(label, init ?? {})); },

  async add_media({ audio, video }) {
    const media = await navigator.mediaDevices.getUserMedia({ audio, video });
    for (const track of media.getTracks()) pc.addTrack(track, media);
  },

  async add_transceiver({ kind, direction }) { pc.addTransceiver(kind, { direction }); },

  async remove_media({ kind }) {
    for (const sender of pc.getSenders()) if (sender.track?.kind === kind) pc.removeTrack(sender);
  },

  async prefer_codec({ kind, mime }) {
    const all = RTCRtpReceiver.getCapabilities(kind).codecs;
    const wanted = all.filter(codec => codec.mimeType.toLowerCase() === mime.toLowerCase());
    if (!wanted.length) throw new Error(`this browser has no ${mime}`);
    const rest = all.filter(codec => /rtx|red|ulpfec/i.test(codec.mimeType));
    for (const transceiver of pc.getTransceivers()) {
      if ((transceiver.sender.track ?? transceiver.receiver.track).kind === kind) {
        transceiver.setCodecPreferences([...wanted, ...rest]);
      }
    }
  },

  async offer({ iceRestart }) {
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: !!iceRestart }));
    await gathered();
    return { sdp: pc.localDescription.sdp };
  },

  async answer({ sdp }) {
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await pc.setLocalDescription();
    await gathered();
    return { sdp: pc.localDescription.sdp };
  },

  async accept({ sdp }) { await pc.setRemoteDescription({ type: 'answer', sdp }); },

  async wait_state({ state }) { await until(`connection ${state}`, () => pc.connectionState === state, 20000); },

  async wait_channel({ label }) {
    await until(`channel ${label}`, () => channels.get(label)?.channel.readyState === 'open');
    const { channel } = channels.get(label);
    return {
      id: channel.id, ordered: channel.ordered, protocol: channel.protocol, negotiated: channel.negotiated,
      maxRetransmits: channel.maxRetransmits, maxPacketLifeTime: channel.maxPacketLifeTime,
      announced: arrivals.includes(label),
    };
  },

  async wait_channel_closed({ label }) {
    await until(`channel ${label} closed`, () => channels.get(label)?.channel.readyState === 'closed');
  },

  async close_channel({ label }) { channels.get(label).channel.close(); },

  async echo({ label }) {
    const entry = channels.get(label);
    entry.echo = true;
    for (const data of entry.messages.splice(0)) entry.channel.send(data);
  },

  // Sends messages and waits for their echo, byte by byte, in order.
  async exchange({ label, sizes, text }) {
    const { channel, messages } = channels.get(label);
    let bytes = 0;
    for (const [n, size] of sizes.entries()) {
      const sent = text ? 'ä'.repeat(size) : pattern(n, size);
      channel.send(sent);
      await until(`echo of ${size}`, () => messages.length > 0, 20000);
      const got = messages.shift();
      const same = text ? got === sent
        : typeof got !== 'string' && got.byteLength === size && new Uint8Array(got).every((b, i) => b === sent[i]);
      if (!same) throw new Error(`message ${n} of ${size} came back changed`);
      bytes += length(got);
    }
    return { bytes };
  },

  async send({ label, count, size }) {
    const { channel } = channels.get(label);
    for (let n = 0; n < count; n++) channel.send(pattern(n, size));
  },

  async received({ label, count }) {
    const { messages } = channels.get(label);
    await until(`${count} messages`, () => messages.length >= count, 20000);
    return { count: messages.length, bytes: messages.reduce((sum, data) => sum + length(data), 0) };
  },

  // Sends `count` messages as fast as the channel takes them; `progress` tells how far it is.
  async pump({ label, count, size }) {
    const entry = channels.get(label);
    const { channel } = entry;
    channel.bufferedAmountLowThreshold = 1 << 20;
    (async () => {
      while (entry.sent < count && channel.readyState === 'open') {
        if (channel.bufferedAmount > 4 << 20) {
          await new Promise(resolve => { channel.onbufferedamountlow = resolve; setTimeout(resolve, 1000); });
          continue;
        }
        channel.send(bulk(entry.sent++, size));
      }
    })();
  },

  // Checks and counts what arrives from now on and keeps nothing.
  async drain({ label }) { channels.get(label).drain = true; },

  async progress({ label }) {
    const { sent, received, bad, channel } = channels.get(label);
    return { sent, received, bad, buffered: channel.bufferedAmount, state: channel.readyState };
  },

  async create_channels({ labels }) { for (const label of labels) adopt(pc.createDataChannel(label)); },

  async wait_channels({ labels, state }) {
    await until(`${labels.length} channels ${state}`,
      () => labels.every(label => channels.get(label)?.channel.readyState === state), 30000);
    const entries = labels.map(label => channels.get(label));
    return {
      ids: entries.map(({ channel }) => channel.id),
      // Chromium says now and then twice that a channel is open.
      opened: entries.filter(entry => entry.opened > 0).length,
      closed: entries.filter(entry => entry.closed > 0).length,
    };
  },

  async close_channels({ labels }) { for (const label of labels) channels.get(label).channel.close(); },

  // Lets go of channels; says how many are left.
  async forget_channels({ labels }) {
    for (const label of labels) channels.delete(label);
    return { left: channels.size };
  },

  async stats() {
    const report = await pc.getStats();
    const result = {
      state: pc.connectionState, framesDecoded: 0, keyFramesDecoded: 0, audioEnergy: 0, audioPackets: 0,
      videoPackets: 0, framesSent: 0, videoSent: 0, audioSent: 0, nack: 0, pli: 0, codecs: [],
    };
    for (const stat of report.values()) {
      if (stat.type === 'inbound-rtp' && stat.kind === 'video') {
        result.framesDecoded += stat.framesDecoded ?? 0;
        result.keyFramesDecoded += stat.keyFramesDecoded ?? 0;
        result.videoPackets += stat.packetsReceived ?? 0;
      }
      if (stat.type === 'inbound-rtp' && stat.kind === 'audio') {
        result.audioEnergy += stat.totalAudioEnergy ?? 0;
        result.audioPackets += stat.packetsReceived ?? 0;
      }
      if (stat.type === 'outbound-rtp') {
        if (stat.kind === 'video') {
          result.framesSent += stat.framesSent ?? stat.framesEncoded ?? 0;
          result.videoSent += stat.packetsSent ?? 0;
        } else {
          result.audioSent += stat.packetsSent ?? 0;
        }
      }
      if (stat.type === 'remote-inbound-rtp') result.remoteRoundTrip = stat.roundTripTime;
      if (stat.type === 'transport') {
        Object.assign(result, {
          tlsVersion: stat.tlsVersion, dtlsCipher: stat.dtlsCipher, srtpCipher: stat.srtpCipher, dtlsRole: stat.dtlsRole,
        });
      }
      if (stat.type === 'codec') result.codecs.push(stat.mimeType);
      if (stat.type === 'candidate-pair' && stat.state === 'succeeded' && (stat.nominated || stat.selected)) {
        result.local = report.get(stat.localCandidateId)?.candidateType;
        result.remote = report.get(stat.remoteCandidateId)?.candidateType;
      }
    }
    return result;
  },

  close() {
    pc?.close();
    pc = null;
  },

  async reload() { setTimeout(() => location.reload(), 50); },
};

async function gathered() {
  const mine = pc;
  // A dead interface must not hold up a scenario.
  await until('gathering', () => mine.iceGatheringState === 'complete', 8000).catch(() => {});
}

function connect() {
  const socket = new WebSocket(`ws://${location.host}/agent`);
  socket.onmessage = async event => {
    const { id, call, args } = JSON.parse(event.data);
    let answer;
    try {
      if (!calls[call]) throw new Error(`no call ${call}`);
      answer = { id, ok: (await calls[call](args ?? {})) ?? {} };
    } catch (error) {
      answer = { id, error: `${error.name}: ${error.message}` };
    }
    socket.send(JSON.stringify(answer));
  };
  socket.onopen = () => socket.send(JSON.stringify({ ready: navigator.userAgent }));
  // The test program decides about the end; a restarted one is found again.
  socket.onclose = () => setTimeout(connect, 200);
}

connect();
