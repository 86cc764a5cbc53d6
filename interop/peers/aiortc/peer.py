"""aiortc's side of a scenario: JSON calls on stdin, JSON answers on stdout, as page/agent.js does it in a browser."""

import asyncio
import json
import sys
import time

from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaBlackhole
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack
from aiortc.rtcrtpreceiver import RemoteStreamTrack


class CountingTrack(MediaStreamTrack):
    """Passes frames through and counts them, and the energy of sound."""

    def __init__(self, source: RemoteStreamTrack) -> None:
        super().__init__()
        self.kind = source.kind
        self.source = source
        self.frames = 0
        self.energy = 0.0

    async def recv(self):
        frame = await self.source.recv()
        self.frames += 1
        if self.kind == "audio":
            samples = frame.to_ndarray().astype("float64") / 32768
            self.energy += float((samples**2).sum()) / frame.sample_rate
        return frame


class ToneTrack(AudioStreamTrack):
    """A tone instead of silence."""

    async def recv(self):
        import numpy

        frame = await super().recv()
        count = frame.samples
        start = frame.pts
        wave = numpy.sin(2 * numpy.pi * 440 * (start + numpy.arange(count)) / frame.sample_rate) * 8000
        frame.planes[0].update(wave.astype("int16").tobytes())
        return frame


class Agent:
    def __init__(self) -> None:
        self.pc = None
        self.reset()

    def reset(self) -> None:
        self.channels = {}
        self.messages = {}
        self.facts = {}
        self.echoing = set()
        self.draining = set()
        self.arrivals = []
        self.sinks = []
        self.counters = []

    def adopt(self, channel) -> None:
        self.channels[channel.label] = channel
        self.messages.setdefault(channel.label, [])
        facts = {"opened": 0, "closed": 0, "sent": 0, "received": 0, "bad": 0}
        self.facts[channel.label] = facts

        @channel.on("open")
        def on_open():
            facts["opened"] += 1

        @channel.on("close")
        def on_close():
            facts["closed"] += 1

        @channel.on("message")
        def on_message(data):
            if channel.label in self.draining:
                if data[:4] != facts["received"].to_bytes(4, "big") or data[4:] != BULK[4 : len(data)]:
                    facts["bad"] += 1
                facts["received"] += 1
            elif channel.label in self.echoing:
                channel.send(data)
            else:
                self.messages[channel.label].append(data)

    async def new(self, config=None):
        await self.close()
        self.reset()
        servers = [RTCIceServer(**server) for server in (config or {}).get("iceServers", [])]
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))

        @self.pc.on("datachannel")
        def on_datachannel(channel):
            self.arrivals.append(channel.label)
            self.adopt(channel)

        @self.pc.on("track")
        def on_track(track):
            counting = CountingTrack(track)
            self.counters.append(counting)
            sink = MediaBlackhole()
            sink.addTrack(counting)
            self.sinks.append(sink)
            asyncio.ensure_future(sink.start())

    async def create_channel(self, label, init=None):
        init = dict(init or {})
        names = {"maxRetransmits": "maxRetransmits", "maxPacketLifeTime": "maxPacketLifeTime"}
        options = {names.get(key, key): value for key, value in init.items()}
        self.adopt(self.pc.createDataChannel(label, **options))

    async def add_media(self, audio=False, video=False):
        if audio:
            self.pc.addTrack(ToneTrack())
        if video:
            self.pc.addTrack(VideoStreamTrack())

    async def add_transceiver(self, kind, direction):
        self.pc.addTransceiver(kind, direction=direction)

    async def remove_media(self, kind):
        # aiortc has no removeTrack: the direction says that nothing is sent any more.
        for transceiver in self.pc.getTransceivers():
            if transceiver.kind == kind and transceiver.sender.track is not None:
                transceiver.sender.replaceTrack(None)
                transceiver.direction = "recvonly"

    async def offer(self, iceRestart=False):
        if iceRestart:
            raise NotImplementedError("aiortc has no ICE restart")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return {"sdp": self.pc.localDescription.sdp}

    async def answer(self, sdp):
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return {"sdp": self.pc.localDescription.sdp}

    async def accept(self, sdp):
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))

    async def wait_state(self, state):
        await until(f"connection {state}", lambda: self.pc.connectionState == state, 20)

    async def wait_channel(self, label):
        await until(
            f"channel {label}",
            lambda: label in self.channels and self.channels[label].readyState == "open",
        )
        channel = self.channels[label]
        return {
            "id": channel.id,
            "ordered": channel.ordered,
            "protocol": channel.protocol,
            "negotiated": channel.negotiated,
            "maxRetransmits": channel.maxRetransmits,
            "maxPacketLifeTime": channel.maxPacketLifeTime,
            "announced": label in self.arrivals,
        }

    async def wait_channel_closed(self, label):
        await until(f"channel {label} closed", lambda: self.channels[label].readyState == "closed")

    async def close_channel(self, label):
        self.channels[label].close()

    async def echo(self, label):
        self.echoing.add(label)
        for data in self.messages.pop(label, []):
            self.channels[label].send(data)
        self.messages[label] = []

    async def exchange(self, label, sizes, text=False):
        total = 0
        for n, size in enumerate(sizes):
            sent = "ä" * size if text else pattern(n, size)
            self.channels[label].send(sent)
            await until(f"echo of {size}", lambda: self.messages[label], 20)
            got = self.messages[label].pop(0)
            if got != sent:
                raise ValueError(f"message {n} of {size} came back changed")
            total += len(got.encode() if text else got)
        return {"bytes": total}

    async def send(self, label, count, size):
        for n in range(count):
            self.channels[label].send(pattern(n, size))

    async def received(self, label, count):
        await until(f"{count} messages", lambda: len(self.messages[label]) >= count, 20)
        sizes = [len(data.encode() if isinstance(data, str) else data) for data in self.messages[label]]
        return {"count": len(sizes), "bytes": sum(sizes)}

    async def pump(self, label, count, size):
        channel, facts = self.channels[label], self.facts[label]

        async def run():
            while facts["sent"] < count and channel.readyState == "open":
                if channel.bufferedAmount > 1 << 20:
                    await asyncio.sleep(0.005)
                    continue
                channel.send(facts["sent"].to_bytes(4, "big") + BULK[4:size])
                facts["sent"] += 1

        asyncio.ensure_future(run())

    async def drain(self, label):
        self.draining.add(label)

    async def progress(self, label):
        channel, facts = self.channels[label], self.facts[label]
        return {**facts, "buffered": channel.bufferedAmount, "state": channel.readyState}

    async def create_channels(self, labels):
        for label in labels:
            self.adopt(self.pc.createDataChannel(label))

    async def wait_channels(self, labels, state):
        await until(
            f"{len(labels)} channels {state}",
            lambda: all(label in self.channels and self.channels[label].readyState == state for label in labels),
            30,
        )
        return {
            "ids": [self.channels[label].id for label in labels],
            "opened": sum(self.facts[label]["opened"] for label in labels),
            "closed": sum(self.facts[label]["closed"] for label in labels),
        }

    async def close_channels(self, labels):
        for label in labels:
            self.channels[label].close()

    async def forget_channels(self, labels):
        for label in labels:
            del self.channels[label]
        return {"left": len(self.channels)}

    async def stats(self):
        video = [counter for counter in self.counters if counter.kind == "video"]
        audio = [counter for counter in self.counters if counter.kind == "audio"]
        result = {
            "state": self.pc.connectionState,
            "framesDecoded": sum(counter.frames for counter in video),
            "audioPackets": sum(counter.frames for counter in audio),
            "audioEnergy": sum(counter.energy for counter in audio),
            "tlsVersion": "FEFD",
            "framesSent": 0,
            "audioSent": 0,
        }
        for stat in (await self.pc.getStats()).values():
            if stat.type == "outbound-rtp":
                result["framesSent" if stat.kind == "video" else "audioSent"] += stat.packetsSent
        return result

    async def close(self):
        if self.pc is not None:
            await self.pc.close()
            self.pc = None


async def until(what, test, seconds=15):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not after {seconds} s")
        await asyncio.sleep(0.01)


def pattern(n, size):
    return bytes((n * 31 + i * 7) % 251 for i in range(size))


# What the messages of a bulk transfer share; the first four bytes of each are its number.
BULK = pattern(0, 1 << 18)


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    agent = Agent()

    async def serve(line: bytes) -> None:
        request = json.loads(line)
        answer = {"id": request["id"]}
        try:
            call = getattr(agent, request["call"], None)
            if call is None:
                raise NotImplementedError(f"aiortc has no {request['call']}")
            answer["ok"] = (await call(**request.get("args", {}))) or {}
        except Exception as error:  # every failure is an answer
            answer["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)

    print(json.dumps({"ready": "aiortc"}), flush=True)
    while line := await reader.readline():
        asyncio.ensure_future(serve(line))
    await agent.close()


asyncio.run(main())
