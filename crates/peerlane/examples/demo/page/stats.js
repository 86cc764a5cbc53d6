// What getStats says, reduced to what the panel shows.

export class StatsReader {
  constructor(pc) {
    this.pc = pc;
    this.last = null;
  }

  async read() {
    const report = await this.pc.getStats();
    const now = performance.now();
    const sum = { sent: 0, received: 0, lost: 0, packets: 0, decoded: 0, energy: 0, messages: 0 };
    let pair = null, transport = null;
    const codecs = new Set();
    for (const stat of report.values()) {
      if (stat.type === 'transport') {
        transport = stat;
        sum.sent += stat.bytesSent ?? 0;
        sum.received += stat.bytesReceived ?? 0;
      }
      if (stat.type === 'inbound-rtp') {
        sum.lost += stat.packetsLost ?? 0;
        sum.packets += stat.packetsReceived ?? 0;
        if (stat.kind === 'video') sum.decoded += stat.framesDecoded ?? 0;
        if (stat.kind === 'audio') sum.energy += stat.totalAudioEnergy ?? 0;
        const codec = report.get(stat.codecId);
        if (codec) codecs.add(codec.mimeType.split('/')[1]);
      }
      if (stat.type === 'data-channel') sum.messages += stat.messagesReceived ?? 0;
      if (stat.type === 'candidate-pair' && stat.nominated && stat.state === 'succeeded') pair = stat;
    }
    // Firefox has no transport statistics; the pair counts the same bytes.
    if (transport?.selectedCandidatePairId) pair = report.get(transport.selectedCandidatePairId) ?? pair;
    if (!transport && pair) {
      sum.sent = pair.bytesSent ?? 0;
      sum.received = pair.bytesReceived ?? 0;
    }
    const candidate = id => {
      const c = report.get(id);
      return c ? `${c.candidateType} ${c.protocol} ${c.address ?? c.ip ?? '(hidden)'}:${c.port}` : '';
    };
    const last = this.last;
    const seconds = last ? (now - last.now) / 1000 : 0;
    const rate = key => (last && seconds > 0 ? Math.max(0, sum[key] - last.sum[key]) / seconds : 0);
    const packets = last ? sum.packets - last.sum.packets : 0;
    const lost = last ? Math.max(0, sum.lost - last.sum.lost) : 0;
    this.last = { now, sum };
    return {
      sum,
      sendRate: rate('sent') * 8,
      receiveRate: rate('received') * 8,
      fps: rate('decoded'),
      loss: packets + lost > 0 ? lost / (packets + lost) : 0,
      rtt: pair?.currentRoundTripTime ?? 0,
      facts: {
        'Our candidate': pair ? candidate(pair.localCandidateId) : '',
        'Rust candidate': pair ? candidate(pair.remoteCandidateId) : '',
        DTLS: transport ? [transport.tlsVersion, transport.dtlsCipher].filter(Boolean).join(' ') : '',
        SRTP: transport?.srtpCipher ?? '',
        Codecs: [...codecs].join(', '),
      },
      pair,
      transport,
    };
  }
}
