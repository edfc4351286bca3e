// The page: samples, a walk through the latent space, and the user's own picture.

import * as api from "./api.js";
import {canvas, results} from "./drawing.js";
import {Plane} from "./plane.js";

const GRID = 16, STRIP = 9;
const $ = (id) => document.getElementById(id);
const state = {model: "", definitions: {}, request: null, language: "curl"};

const reads = (signature, input) => input in (state.definitions[signature]?.inputs ?? {});
const classes = (signature, n) =>
  reads(signature, "labels") ? {labels: Array(n).fill($("class").valueAsNumber || 0)} : {};

function show(signature, inputs) {
  state.request = {signature, inputs};
  snippet();
}

// A model without samples and pictures: the request of its default signature.
function illustrate() {
  const alone = ["samples", "walk", "upload"].every((id) => $(id).hidden);
  $("details").open = alone;
  const definition = state.definitions.serving_default;
  const inputs = alone && definition ? api.example(definition) : null;
  if (inputs) show("serving_default", inputs);
  else snippet();
}

function snippet() {
  const {signature, inputs} = state.request ?? {};
  $("snippet").textContent = signature ? api[state.language](state.model, signature, inputs)
    : `curl ${location.origin}/v1/models/${encodeURIComponent(state.model)}/metadata`;
}

async function call(signature, inputs) {
  show(signature, inputs);
  return api.predict(state.model, state.definitions, signature, inputs);
}

// Runs work and tells what went wrong; of calls that overlap only the last one's result is drawn.
const turns = {};
async function latest(key, work, draw) {
  const turn = turns[key] = (turns[key] ?? 0) + 1;
  try {
    const result = await work();
    if (turns[key] !== turn) return;
    $("alert").hidden = true;
    draw(result);
  } catch (error) {
    if (turns[key] !== turn) return;
    $("alert").textContent = error.message;
    $("alert").hidden = false;
  }
}

function samples() {
  const first = $("seed").valueAsNumber || 0;
  const seeds = Array.from({length: GRID}, (_, k) => first + k);
  return latest("samples", () => call("generate", {seeds, ...classes("generate", GRID)}), ({images}) =>
    $("grid").replaceChildren(...images.map((image, k) => canvas(image, `Sample of seed ${seeds[k]}`))));
}

const plane = new Plane($("plane"), $("position"), () => walk());

function walk() {
  const codes = [plane.here(), ...plane.along(STRIP)];
  const latents = codes.map((code) => code.map((value) => Math.round(value * 1e4) / 1e4));
  const work = () => call("decode", {latents, ...classes("decode", latents.length)});
  return latest("walk", work, ({images: [here, ...strip]}) => {
    show("decode", {latents: [latents[0]], ...classes("decode", 1)});
    $("live").replaceChildren(canvas(here, "Image at this place of the walk"));
    $("strip").replaceChildren(...strip.map((image, k) => canvas(image, `Step ${k + 1} from A to B`)));
  });
}

async function upload() {
  const [file] = $("file").files;
  if (!file) return;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const b64 = btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
  const names = Object.keys(state.definitions).filter((name) => reads(name, "image_bytes"));
  $("results").replaceChildren(results.picture(file));
  await latest("upload", () => Promise.all(names.map(async (name) => {
    const seeds = reads(name, "seeds") ? {seeds: [$("seed").valueAsNumber || 0]} : {};
    return [name, await call(name, {image_bytes: [{b64}], ...seeds, ...classes(name, 1)})];
  })), (replies) => {
    for (const [name, outputs] of replies)
      $("results").append(...results.figures(name.replace(/_bytes$/, ""), outputs));
  });
}

function describe() {
  const list = (tensors) => Object.entries(tensors ?? {}).sort().map(([name, {dtype, tensor_shape: shape}]) =>
    `${name} ${dtype.replace("DT_", "").toLowerCase()} (${(shape.dim ?? []).map((d) => d.size).join(", ")})`);
  $("signatures").replaceChildren(...Object.entries(state.definitions).map(([name, definition]) => {
    const row = document.createElement("tr");
    for (const text of [name, list(definition.inputs).join("; "), list(definition.outputs).join("; ")])
      row.insertCell().textContent = text;
    return row;
  }));
}

async function choose() {
  state.model = $("model").value;
  state.request = null;
  await latest("model", () => api.signatures(state.model), async (definitions) => {
    state.definitions = definitions;
    $("samples").hidden = !reads("generate", "seeds");
    $("walk").hidden = !reads("decode", "latents");
    const named = Object.keys(definitions);
    $("upload").hidden = !named.some((name) => reads(name, "image_bytes"));
    $("class-field").hidden = !named.some((name) => reads(name, "labels"));
    $("results").replaceChildren();
    describe();
    illustrate();
    if (!$("walk").hidden) {
      plane.dimension = Number(definitions.decode.inputs.latents.tensor_shape.dim[1].size);
      await walk();
    }
    if (!$("samples").hidden) await samples();
    await upload();
  });
}

function language(name) {
  state.language = name;
  $("show-curl").setAttribute("aria-pressed", String(name === "curl"));
  $("show-python").setAttribute("aria-pressed", String(name === "python"));
  snippet();
}

async function start() {
  await latest("models", api.models, (names) => {
    $("model").replaceChildren(...names.map((name) => new Option(name)));
    return choose();
  });
}

$("choice").addEventListener("submit", (event) => event.preventDefault());
$("model").addEventListener("change", choose);
$("token").addEventListener("change", start);
$("seed").addEventListener("input", samples);
$("next").addEventListener("click", () => { $("seed").valueAsNumber = ($("seed").valueAsNumber || 0) + GRID; samples(); });
$("class").addEventListener("input", () => {
  if (!$("walk").hidden) walk();
  if (!$("samples").hidden) samples();
  upload();
});
$("file").addEventListener("change", upload);
$("show-curl").addEventListener("click", () => language("curl"));
$("show-python").addEventListener("click", () => language("python"));
$("copy").addEventListener("click", () => navigator.clipboard.writeText($("snippet").textContent));
start();
