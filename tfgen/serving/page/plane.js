// Two codes on a plane through the origin of the latent space, and a place between them.

const REACH = 1.6; // of the plane's edge, in standard deviations of a code drawn from the prior
const STEP = 0.05;

// A standard normal vector that is the same on every visit.
function normal(n, seed) {
  const uniform = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Array.from({length: n}, () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}

export class Plane {
  constructor(element, slider, changed) {
    Object.assign(this, {element, slider, changed, size: 0});
    this.codes = {a: [-0.6, 0.2], b: [0.35, -0.5]};
    for (const name of ["a", "b"]) this.#handle(name);
    slider.addEventListener("input", () => this.#update());
  }

  set dimension(n) {
    if (n !== this.size) this.axes = [normal(n, 1), normal(n, 2)];
    this.size = n;
    this.#place();
  }

  // The place at a share of the way from A to B: along a turn about the origin, since codes near it,
  // which a straight line would cross, are ones that the prior hardly ever draws.
  point(share) {
    const [[ra, ta], [rb, tb]] = [this.codes.a, this.codes.b].map(([x, y]) => [Math.hypot(x, y), Math.atan2(y, x)]);
    const turn = ((tb - ta + 3 * Math.PI) % (2 * Math.PI)) - Math.PI;
    const [radius, angle] = [ra + share * (rb - ra), ta + share * turn];
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  }

  at(share) {
    const [x, y] = this.point(share);
    return this.axes[0].map((u, k) => REACH * (x * u + y * this.axes[1][k]));
  }

  here() { return this.at(this.slider.valueAsNumber); }

  along(n) { return Array.from({length: n}, (_, k) => this.at(k / (n - 1))); }

  #handle(name) {
    const handle = this.element.querySelector(`#${name}`);
    handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const box = this.element.getBoundingClientRect();
      this.#move(name, 2 * (event.clientX - box.left) / box.width - 1, 2 * (event.clientY - box.top) / box.height - 1);
    });
    handle.addEventListener("keydown", (event) => {
      const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
      if (!way) return;
      event.preventDefault();
      const [x, y] = this.codes[name];
      this.#move(name, x + STEP * way[0], y + STEP * way[1]);
    });
  }

  #move(name, x, y) {
    this.codes[name] = [x, y].map((value) => Math.max(-1, Math.min(1, value)));
    this.#update();
  }

  #update() {
    this.#place();
    this.changed();
  }

  #place() {
    for (const [name, [x, y]] of Object.entries(this.codes)) {
      const handle = this.element.querySelector(`#${name}`);
      handle.style.left = `${50 * (x + 1)}%`;
      handle.style.top = `${50 * (y + 1)}%`;
    }
    const points = Array.from({length: 33}, (_, k) => this.point(k / 32).join(","));
    this.element.querySelector("#path").setAttribute("points", points.join(" "));
    const [x, y] = this.point(this.slider.valueAsNumber);
    this.element.querySelector("#place").setAttribute("cx", x);
    this.element.querySelector("#place").setAttribute("cy", y);
  }
}
