// One connection to the Rust peer: trickle signalling over a WebSocket, perfect negotiation, polite side.

export class Call {
  constructor(onState) {
    this.onState = onState;
    this.pc = new RTCPeerConnection();
    this.ignoring = false;
    this.makingOffer = false;
    this.opened = Promise.withResolvers();
    this.connected = Promise.withResolvers();
    this.handlers = {};
    // Whoever waits gets the error; nobody has to.
    this.opened.promise.catch(() => {});
    this.connected.promise.catch(() => {});

    const url = new URL('ws', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    this.socket = new WebSocket(url);
    this.socket.onmessage = event => this.receive(JSON.parse(event.data)).catch(error => this.fail(error));
    this.socket.onclose = () => this.fail(new Error('The server closed the signalling connection.'));

    this.pc.onicecandidate = ({ candidate }) => this.send({ type: 'candidate', candidate });
    this.pc.onnegotiationneeded = () => this.negotiate().catch(error => this.fail(error));
    this.pc.onconnectionstatechange = () => {
      const state = this.pc.connectionState;
      this.onState(state);
      if (state === 'connected') this.connected.resolve();
      if (state === 'failed') this.fail(new Error('No path to the Rust peer could be found.'));
    };
  }

  async open() {
    if (this.socket.readyState === WebSocket.OPEN) return this.configure();
    await new Promise((resolve, reject) => {
      this.socket.addEventListener('open', resolve, { once: true });
      this.socket.addEventListener('close', () => reject(new Error('The server does not answer.')), { once: true });
    });
    return this.configure();
  }

  // The server names its own relay.
  async configure() {
    const hello = await (await fetch('config')).json();
    this.pc.setConfiguration({ iceServers: hello.iceServers });
    this.ready = true;
    for (const message of this.waiting ?? []) this.socket.send(message);
    this.waiting = null;
  }

  send(message) {
    const text = JSON.stringify(message);
    if (this.ready && this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
    else (this.waiting ??= []).push(text);
  }

  on(type, handler) { this.handlers[type] = handler; }

  async negotiate() {
    try {
      this.makingOffer = true;
      await this.pc.setLocalDescription();
      this.send({ type: this.pc.localDescription.type, sdp: this.pc.localDescription.sdp });
    } finally {
      this.makingOffer = false;
    }
  }

  async receive(message) {
    switch (message.type) {
      case 'offer':
      case 'answer':
        // We are polite: a colliding offer of ours is rolled back by the browser.
        await this.pc.setRemoteDescription(message);
        if (message.type === 'offer') {
          await this.pc.setLocalDescription();
          this.send({ type: this.pc.localDescription.type, sdp: this.pc.localDescription.sdp });
        }
        break;
      case 'candidate':
        await this.pc.addIceCandidate(message.candidate ?? undefined);
        break;
      case 'error':
        this.fail(new Error(message.message));
        break;
      default:
        this.handlers[message.type]?.(message);
    }
  }

  fail(error) {
    if (this.closed) return;
    this.error = error;
    this.opened.reject(error);
    this.connected.reject(error);
    this.onError?.(error);
  }

  close() {
    this.closed = true;
    this.connected.reject(new Error('closed'));
    this.socket.close();
    this.pc.close();
    this.onState('closed');
  }
}
