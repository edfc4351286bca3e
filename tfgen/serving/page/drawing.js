// Tensors of a reply as pictures and bars.

// An image in [0, 1], rows of pixels of 1 or 3 channels, in its own size; the style sheet scales it.
export function canvas(image, label) {
  const element = document.createElement("canvas");
  [element.height, element.width] = [image.length, image[0].length];
  const context = element.getContext("2d");
  const data = context.createImageData(element.width, element.height);
  image.flat().forEach((pixel, k) => {
    const [red, green, blue] = pixel.length === 3 ? pixel : [pixel[0], pixel[0], pixel[0]];
    data.data.set([red, green, blue].map((value) => Math.round(255 * value)), 4 * k);
    data.data[4 * k + 3] = 255;
  });
  context.putImageData(data, 0, 0);
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  return element;
}

function figure(content, words) {
  const element = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = words;
  element.append(content, caption);
  return element;
}

function bars(values) {
  const element = document.createElement("div");
  element.className = "bars";
  values.forEach((value, k) => {
    const [name, meter, number] = ["span", "meter", "span"].map((tag) => document.createElement(tag));
    name.textContent = k;
    meter.value = value;
    meter.setAttribute("aria-label", `Class ${k}`);
    number.textContent = value.toFixed(2);
    element.append(name, meter, number);
  });
  return element;
}

function text(values) {
  const element = document.createElement("p");
  const numbers = [values].flat(Infinity);
  const shown = numbers.slice(0, 6).map((value) => typeof value === "number" ? +value.toFixed(3) : value);
  element.textContent = shown.join(", ") + (numbers.length > 6 ? `, … (${numbers.length})` : "");
  return element;
}

export const results = {
  picture(file) {
    const image = document.createElement("img");
    image.src = URL.createObjectURL(file);
    image.alt = "Your picture";
    image.onload = () => URL.revokeObjectURL(image.src);
    return figure(image, file.name);
  },
  figures(name, outputs) {
    return Object.entries(outputs).map(([output, [row]]) => {
      const words = `${name}: ${output}`;
      if (output === "images") return figure(canvas(row, words), words);
      if (output === "probabilities" && Array.isArray(row)) return figure(bars(row), words);
      return figure(text(row), words);
    });
  },
};
