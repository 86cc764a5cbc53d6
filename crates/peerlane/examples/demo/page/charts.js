// Small line charts on a canvas: the last minute, scaled to its own maximum.

const POINTS = 120;

export class Chart {
  constructor(canvas, series) {
    this.canvas = canvas;
    this.series = series.map(color => ({ color, values: [] }));
  }

  push(...values) {
    this.series.forEach((line, i) => {
      line.values.push(values[i] ?? 0);
      if (line.values.length > POINTS) line.values.shift();
    });
    this.draw();
  }

  clear() {
    for (const line of this.series) line.values.length = 0;
    this.draw();
  }

  draw() {
    const scale = devicePixelRatio || 1;
    const width = this.canvas.clientWidth * scale;
    const height = this.canvas.clientHeight * scale;
    if (!width || !height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    const ctx = this.canvas.getContext('2d');
    const style = getComputedStyle(document.documentElement);
    const top = Math.max(1e-9, ...this.series.flatMap(line => line.values)) * 1.15;
    for (const { color, values } of this.series) {
      ctx.beginPath();
      values.forEach((value, i) => {
        const x = (width * i) / (POINTS - 1);
        const y = height - (value / top) * (height - 4) - 2;
        i ? ctx.lineTo(x, y) : ctx.moveTo(x, y);
      });
      ctx.lineWidth = 2 * scale;
      ctx.lineJoin = 'round';
      // light-dark() is resolved by the canvas' own colour property.
      this.canvas.style.color = `var(${color})`;
      ctx.strokeStyle = getComputedStyle(this.canvas).color || style.color;
      ctx.stroke();
    }
  }
}
