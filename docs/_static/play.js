// Decodes latent codes with onnxruntime-web: the page of docs/play.md.
import * as ort from "../play/ort.wasm.min.mjs";

const SLIDERS = 12;
const element = (id) => document.getElementById(`play-${id}`);
const base = new URL("../play/", import.meta.url).href;
ort.env.wasm.wasmPaths = base;
ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send

const sessions = {};
let models = {};
let latents = new Float32Array();
let label = 0;
let turn = 0;

// Standard normal draws by Box and Muller from a generator of 32 bits of state (xorshift, seed scrambled).
function normal(seed, count) {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 4294967296;
  };
  for (let i = 0; i < 16; i += 1) uniform();
  return Float32Array.from({ length: count }, () =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

// z of a seed: Gaussian, then a one-hot category and codes on [-1, 1] where the model has them.
function prior(model, seed) {
  const values = normal(seed, model.latent_dim);
  const start = model.latent_dim - model.num_categories - model.num_continuous;
  for (let i = start; i < model.latent_dim; i += 1) {
    const continuous = i >= start + model.num_categories;
    values[i] = continuous ? Math.tanh(values[i]) : Number(i - start === label);
  }
  return values;
}

// Images (n, h, w, c) of codes (n, latent_dim), flat, as model.decode gives them.
async function decode(name, codes, labels) {
  sessions[name] ??= ort.InferenceSession.create(`${base}${name}.onnx`);
  const session = await sessions[name];
  const rows = codes.length / models[name].latent_dim;
  const feeds = {
    latents: new ort.Tensor("float32", Float32Array.from(codes), [rows, models[name].latent_dim]),
  };
  if (models[name].num_classes) {
    feeds.labels = new ort.Tensor("int32", Int32Array.from(labels), [rows]);
  }
  return (await session.run(feeds)).images.data;
}

async function draw() {
  const name = element("model").value;
  const [height, width, channels] = models[name].shape;
  turn += 1;
  const mine = turn;
  const image = await decode(name, latents, [label]);
  if (mine !== turn) return; // a later code is being decoded
  const canvas = element("image");
  [canvas.width, canvas.height] = [width, height];
  const pixels = new ImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      pixels.data[4 * i + c] = Math.round(255 * image[channels * i + Math.min(c, channels - 1)]);
    }
    pixels.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  element("state").textContent = `${name}, ${models[name].latent_dim} latent dimensions`;
}

function restart() {
  const model = models[element("model").value];
  latents = prior(model, Number(element("seed").value));
  const shown = Math.min(SLIDERS, model.latent_dim - model.num_categories);
  const first = model.num_categories ? model.latent_dim - model.num_continuous : 0;
  const dimensions = Array.from({ length: model.latent_dim }, (_, i) => (first + i) % model.latent_dim);
  const sliders = dimensions.slice(0, shown).map((dimension) => {
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: -3, max: 3, step: 0.01, value: latents[dimension] });
    slider.setAttribute("aria-label", `z ${dimension}`);
    slider.dataset.dimension = dimension;
    slider.addEventListener("input", () => {
      latents[dimension] = Number(slider.value);
      draw();
    });
    return slider;
  });
  element("sliders").replaceChildren(...sliders);
  return draw();
}

function choose() {
  const model = models[element("model").value];
  label = 0;
  const buttons = Array.from({ length: model.num_classes || model.num_categories }, (_, index) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: index, className: "btn btn-outline-primary" });
    button.addEventListener("click", () => {
      label = index;
      buttons.forEach((other, i) => other.setAttribute("aria-pressed", i === index));
      const start = model.latent_dim - model.num_categories - model.num_continuous;
      for (let i = 0; i < model.num_categories; i += 1) latents[start + i] = Number(i === index);
      draw();
    });
    button.setAttribute("aria-pressed", index === 0);
    return button;
  });
  element("classes").replaceChildren(...buttons);
  return restart();
}

async function start() {
  models = await (await fetch(`${base}models.json`)).json();
  for (const name of Object.keys(models)) element("model").add(new Option(name));
  element("model").addEventListener("change", choose);
  element("seed").addEventListener("input", restart);
  element("next").addEventListener("click", () => {
    element("seed").stepUp();
    restart();
  });
  await choose();
}

window.play = { decode, code: () => [Array.from(latents), label], ready: start() };
window.play.ready.catch((error) => {
  element("state").textContent = `The models cannot be loaded: ${error.message}`;
});
