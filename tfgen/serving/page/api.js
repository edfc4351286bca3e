// The REST interface, as any client uses it.

const token = document.querySelector("#token");
token.value = sessionStorage.getItem("token") ?? "";

async function ask(path, options = {}) {
  const headers = token.value ? {Authorization: `Bearer ${token.value}`} : {};
  const response = await fetch(path, {...options, headers});
  const text = await response.text();
  const reply = JSON.parse(text.replace(/(?<=[[,:\s])(NaN|-?Infinity)(?=[\],}\s])/g, "null"));
  if (response.status === 401) document.querySelector("#token-field").hidden = false;
  if (!response.ok) throw new Error(reply.error ?? response.statusText);
  sessionStorage.setItem("token", token.value);
  return reply;
}

export async function models() {
  return (await ask("v1/models")).models.map((model) => model.name);
}

export async function signatures(model) {
  const reply = await ask(`v1/models/${encodeURIComponent(model)}/metadata`);
  return sorted(reply.metadata.signature_def.signature_def);
}

// Entries by name; those of a protobuf map come in any order.
const sorted = (entries) => Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));

export function body(signature, inputs) {
  return {signature_name: signature, inputs};
}

const LONGEST = 400; // characters of an example, which is to be pasted

// Inputs of one row, of ones or of short text; null if JSON has none or they are too long.
export function example({inputs = {}}) {
  const filled = Object.entries(inputs).map(([name, {dtype, tensor_shape: {dim = []}}]) => [name,
    dim.reduceRight((value, {size}) => Array(Math.max(1, Number(size))).fill(value), dtype === "DT_STRING" ? "text" : 1)]);
  const plain = Object.values(inputs).every(({dtype}) => /^DT_(U?INT\d+|FLOAT|DOUBLE|STRING)$/.test(dtype));
  return plain && filled.length && JSON.stringify(filled).length < LONGEST ? Object.fromEntries(filled) : null;
}

// The outputs by name; TensorFlow Serving leaves the name out of a single one.
export async function predict(model, definitions, signature, inputs) {
  const {outputs} = await ask(`v1/models/${encodeURIComponent(model)}:predict`,
    {method: "POST", body: JSON.stringify(body(signature, inputs))});
  const names = Object.keys(definitions[signature].outputs);
  return names.length === 1 ? {[names[0]]: outputs} : outputs;
}

export function curl(model, signature, inputs) {
  const url = `${location.origin}/v1/models/${encodeURIComponent(model)}:predict`;
  const secret = token.value ? " -H \"Authorization: Bearer $TFGEN_TOKEN\"" : "";
  const text = JSON.stringify(body(signature, inputs));
  if (!text.includes("\"b64\"")) return `curl${secret} ${url} -d '${text}'`;
  const shell = text.replace(/"b64":"[^"]*"/, "\"b64\":\"'\"$(base64 -w0 picture.png)\"'\"");
  return `echo '${shell}' |\n  curl${secret} ${url} -d @-`;
}

export function python(model, signature, inputs) {
  const url = `${location.origin}/v1/models/${encodeURIComponent(model)}:predict`;
  const text = JSON.stringify(body(signature, inputs));
  const secret = token.value ? ", headers={\"Authorization\": f\"Bearer {token}\"}" : "";
  if (!text.includes("\"b64\""))
    return `import requests\n\nreply = requests.post(\n    "${url}",\n    json=${text}${secret},\n)\n`
      + "print(reply.json()[\"outputs\"])";
  const filled = text.replace(/"b64":"[^"]*"/, "\"b64\":picture");
  return "import base64\n\nimport requests\n\n"
    + "picture = base64.b64encode(open(\"picture.png\", \"rb\").read()).decode()\n"
    + `reply = requests.post(\n    "${url}",\n    json=${filled}${secret},\n)\n`
    + "print(reply.json()[\"outputs\"])";
}
