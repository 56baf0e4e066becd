// Wave draws how loud one side was over the last seconds, newest at the right.

const BAR = 3;
const GAP = 2;
/** How much time one bar shows, in milliseconds. */
const STEP_MS = 60;

export class Wave {
  #bars: number[] = [];
  #peak = 0;
  #colour = "";
  #stepped = 0;
  #line = "";

  constructor(private readonly canvas: HTMLCanvasElement) {
    new ResizeObserver(() => this.#fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#dress());
    this.#dress();
  }

  /** Takes how loud it was, from 0 to 1. */
  add(peak: number): void {
    this.#peak = Math.max(this.#peak, peak);
  }

  /** Moves on to now, and draws. calm draws seldom, for those who do not want things to move. */
  draw(now: number, calm: boolean): void {
    const step = calm ? STEP_MS * 8 : STEP_MS;
    if (now - this.#stepped < step) return;
    this.#stepped = now;
    this.#bars.push(this.#peak);
    this.#peak = 0;
    const { width } = this.canvas;
    const most = Math.ceil(width / (BAR + GAP));
    this.#bars = this.#bars.slice(-most);
    this.#paint();
  }

  clear(): void {
    this.#bars = [];
    this.#peak = 0;
  }

  #paint(): void {
    const g = this.canvas.getContext("2d");
    if (!g) return;
    const scale = devicePixelRatio;
    const width = this.canvas.width / scale;
    const height = this.canvas.height / scale;
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, width, height);
    g.fillStyle = this.#line;
    g.fillRect(0, height / 2 - 0.5, width, 1);
    g.fillStyle = this.#colour;
    this.#bars.forEach((peak, i) => {
      const tall = Math.max(peak > 0.004 ? 3 : 0, Math.min(1, Math.sqrt(peak)) * height);
      const x = width - (this.#bars.length - i) * (BAR + GAP);
      g.beginPath();
      g.roundRect(x, (height - tall) / 2, BAR, tall, BAR / 2);
      g.fill();
    });
  }

  #fit(): void {
    this.canvas.width = Math.round(this.canvas.clientWidth * devicePixelRatio);
    this.canvas.height = Math.round(this.canvas.clientHeight * devicePixelRatio);
    this.#paint();
  }

  #dress(): void {
    const style = getComputedStyle(this.canvas);
    const side = this.canvas.closest<HTMLElement>("[data-side]")?.dataset.side;
    this.#colour = style.getPropertyValue(`--${side}`);
    this.#line = style.getPropertyValue("--line");
  }
}
