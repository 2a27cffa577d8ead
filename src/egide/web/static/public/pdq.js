// The PDQ fingerprint of pictures and videos, computed on this device: nothing here sends anything.
// The same algorithm as src/kernel/pdq.cpp and trim.cpp, and the tests hold both to each other.
// PDQ: https://github.com/facebook/ThreatExchange/tree/main/pdq

const GRID = 64; // side of the down-sampled picture
const TERMS = 16; // side of the square of cosine terms that is kept
const SMALLEST = 5; // pixels a side; nothing smaller is hashed
export const LEAST_QUALITY = 50; // of 100: below, there is too little detail to compare
const LEAST_SIDE = 32; // pixels; what is left within a border and smaller is a line or a logo
const MOST_PIXELS = 200_000_000;
const STRIP_PIXELS = 1 << 20; // read from the canvas at once: phones allow no larger ones
const FRAME_SIDE = 640; // of a video's frames, as the service reads them
const FRAME_STEP = 0.5; // seconds
const MOST_LOOKED_AT = 120; // frames of one video
const SAME_FRAME = 16; // bits up to which two frames following one another are one
const PATIENCE = 15_000; // milliseconds for a video to show a frame

// ── the fingerprint of rows of luma ─────────────────────────────────────────────────────────

// What each of the 64 samples along a side of n pixels takes from each pixel: a box filter passed
// over it twice, then sampled. `mirrored` gives those of the mirrored picture, in the order of the
// picture as it is: windows and positions lean to one side, so they are not the same.
function weights(n, mirrored) {
  const width = Math.floor((n + 2 * GRID - 1) / (2 * GRID));
  const ahead = width >> 1;
  const behind = width - ahead - 1;
  const first = (at) => Math.max(0, at - behind);
  const end = (at) => Math.min(n, at + ahead + 1);
  return Array.from({ length: GRID }, (_, i) => {
    const sample = Math.floor(((mirrored ? GRID - 1 - i : i) + 0.5) * n / GRID);
    const from = first(first(sample));
    const to = end(end(sample) - 1);
    const of = new Float64Array(to - from);
    const outer = end(sample) - first(sample);
    for (let q = first(sample); q < end(sample); q++) {
      const each = 1 / (outer * (end(q) - first(q)));
      for (let at = first(q); at < end(q); at++) of[at - from] += each;
    }
    return mirrored ? { from: n - to, of: of.reverse() } : { from, of };
  });
}

// Takes the rows of a picture one after another, and has its hashes in the end.
class Hasher {
  constructor(rows, cols) {
    this.rows = rows;
    this.cols = cols;
    this.across = [weights(cols, false), weights(cols, true)];
    this.down = [false, true].map((mirrored) => {
      const byRow = Array.from({ length: rows }, () => []);
      weights(rows, mirrored).forEach(({ from, of }, i) => {
        of.forEach((weight, k) => byRow[from + k].push([i, weight]));
      });
      return byRow;
    });
    // By whether the rows, and then the columns, are those of the mirrored picture.
    this.grids = [0, 1].map(() => [0, 1].map(() => new Float64Array(GRID * GRID)));
    this.line = new Float64Array(GRID);
  }

  // Row r, as numbers 0..255 from `at` on in `luma`.
  add(r, luma, at = 0) {
    for (const c of [0, 1]) {
      const { line } = this;
      this.across[c].forEach(({ from, of }, j) => {
        let sum = 0;
        for (let k = 0, p = at + from; k < of.length; k++, p++) sum += of[k] * luma[p];
        line[j] = sum;
      });
      for (const d of [0, 1]) {
        const grid = this.grids[d][c];
        for (const [i, weight] of this.down[d][r]) {
          for (let j = 0; j < GRID; j++) grid[i * GRID + j] += weight * line[j];
        }
      }
    }
  }

  // {hashes: eight in hexadecimal, in the order of ORIENTATIONS, quality: 0..100}
  finish() {
    if (Math.min(this.rows, this.cols) < SMALLEST) {
      return { hashes: ORIENTATIONS.map(() => "0".repeat(64)), quality: 0 };
    }
    const spectra = this.grids.map((pair) => pair.map(spectrumOf));
    const hashes = ORIENTATIONS.map(([, transposed, negateRows, negateCols]) => {
      const spectrum = transposed
        ? spectra[+negateCols][+negateRows] : spectra[+negateRows][+negateCols];
      return hashOf(edited(spectrum, transposed, negateRows, negateCols));
    });
    return { hashes, quality: qualityOf(this.grids[0][0]) };
  }
}

// Name, and what the edit does to the spectrum: turn it over, change the sign of odd frequencies.
const ORIENTATIONS = [
  ["none", false, false, false],
  ["rotate90", true, true, false],
  ["rotate180", false, true, true],
  ["rotate270", true, false, true],
  ["mirror", false, false, true],
  ["flip", false, true, false],
  ["transpose", true, false, false],
  ["transverse", true, true, true],
];

const BASIS = Array.from({ length: TERMS }, (_, i) =>
  Float64Array.from({ length: GRID }, (__, k) =>
    Math.sqrt(2 / GRID) * Math.cos((Math.PI / 2 / GRID) * (i + 1) * (2 * k + 1))));

function spectrumOf(grid) {
  const half = new Float64Array(TERMS * GRID);
  for (let i = 0; i < TERMS; i++) {
    for (let r = 0; r < GRID; r++) {
      for (let c = 0; c < GRID; c++) half[i * GRID + c] += BASIS[i][r] * grid[r * GRID + c];
    }
  }
  const out = new Float64Array(TERMS * TERMS);
  for (let i = 0; i < TERMS; i++) {
    for (let j = 0; j < TERMS; j++) {
      for (let c = 0; c < GRID; c++) out[i * TERMS + j] += BASIS[j][c] * half[i * GRID + c];
    }
  }
  return out;
}

function edited(spectrum, transposed, negateRows, negateCols) {
  return spectrum.map((_, k) => {
    const i = Math.floor(k / TERMS);
    const j = k % TERMS;
    const term = spectrum[transposed ? j * TERMS + i : k];
    // Odd frequencies have even indices: the zero frequency is left out.
    const negate = (negateRows && i % 2 === 0) !== (negateCols && j % 2 === 0);
    return negate ? -term : term;
  });
}

function hashOf(terms) {
  const middle = Float64Array.from(terms).sort()[terms.length / 2 - 1];
  const bytes = new Uint8Array(terms.length / 8);
  terms.forEach((term, k) => {
    if (term > middle) bytes[bytes.length - 1 - (k >> 3)] |= 1 << (k % 8);
  });
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function qualityOf(grid) {
  let gradients = 0;
  const add = (u, v) => { gradients += Math.abs(Math.trunc(((u - v) * 100) / 255)); };
  for (let i = 0; i + 1 < GRID; i++) {
    for (let j = 0; j < GRID; j++) {
      add(grid[i * GRID + j], grid[(i + 1) * GRID + j]);
      add(grid[j * GRID + i], grid[j * GRID + i + 1]);
    }
  }
  return Math.min(Math.trunc(gradients / 90), 100);
}

// ── uniform borders ─────────────────────────────────────────────────────────────────────────

const TOLERANCE = 4; // shades that a border's pixel may lie from the border's own
const RIPPLE = 12; // lines that JPEG may ripple beside an edge
const SMALLEST_STEP = 10; // mean difference, in shades, between border and picture
const EDGE_SHARE = 0.4; // of that difference, where the picture is taken to begin
const STRAY_SHARE = 0.01; // of a border line's pixels may have any shade

function medianShade(plane, { first, along, length }) {
  const counts = new Uint32Array(256);
  for (let i = 0, at = first; i < length; i++, at += along) counts[plane[at]]++;
  let shade = 0;
  for (let below = counts[0]; below * 2 < length; below += counts[shade]) shade++;
  return shade;
}

function spreadOf(plane, { first, inwards, along, length }, line, shade) {
  let sum = 0;
  let strays = 0;
  for (let i = 0, at = first + line * inwards; i < length; i++, at += along) {
    const difference = Math.abs(plane[at] - shade);
    sum += difference;
    if (difference > TOLERANCE) strays++;
  }
  return { mean: sum / length, strays: strays / length };
}

// How many lines of one side are border: those of one shade, then those that compression rippled,
// up to a step. Without a step it is no border but a smooth part of the picture.
function borderOf(plane, side) {
  const shade = medianShade(plane, side);
  let clean = 0;
  while (clean < side.lines && spreadOf(plane, side, clean, shade).strays <= STRAY_SHARE) clean++;
  if (clean === side.lines) return 0;
  const differences = [];
  for (let k = clean; k < Math.min(clean + RIPPLE, side.lines); k++) {
    differences.push(spreadOf(plane, side, k, shade).mean);
  }
  const step = Math.max(...differences);
  if (step < SMALLEST_STEP) return 0;
  return clean + differences.findIndex((difference) => difference >= EDGE_SHARE * step);
}

// The box that is left when uniform borders are cut away, half-open.
export function trim(plane, rows, cols) {
  const box = { top: 0, bottom: rows, left: 0, right: cols };
  // A second round finds what a border of another shade across the corner hid from the first.
  for (let round = 0; round < 2; round++) {
    const height = box.bottom - box.top;
    const width = box.right - box.left;
    const across = { along: 1, lines: height, length: width };
    const above = borderOf(plane, { ...across, first: box.top * cols + box.left, inwards: cols });
    const below = borderOf(plane, { ...across, first: (box.bottom - 1) * cols + box.left, inwards: -cols });
    if (above + below < height) { box.top += above; box.bottom -= below; }
    const down = { along: cols, lines: width, length: box.bottom - box.top };
    const before = borderOf(plane, { ...down, first: box.top * cols + box.left, inwards: 1 });
    const after = borderOf(plane, { ...down, first: box.top * cols + box.right - 1, inwards: -1 });
    if (before + after < width) { box.left += before; box.right -= after; }
  }
  return box;
}

// ── pictures ────────────────────────────────────────────────────────────────────────────────

// The views of a picture given as strips {top, rows, data: RGBA}: whole, and within its border.
export class Picture {
  constructor(rows, cols) {
    this.rows = rows;
    this.cols = cols;
    this.hasher = new Hasher(rows, cols);
    this.plane = new Uint8Array(rows * cols);
    this.line = new Float64Array(cols);
  }

  add(top, rows, data) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0, p = 4 * r * this.cols, q = (top + r) * this.cols; c < this.cols; c++, p += 4, q++) {
        const red = data[p];
        const green = data[p + 1];
        const blue = data[p + 2];
        this.line[c] = red * 0.299 + green * 0.587 + blue * 0.114;
        this.plane[q] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
      }
      this.hasher.add(top + r, this.line);
    }
  }

  finish() {
    const views = [{ ...this.hasher.finish(), edit: "none" }];
    const { top, bottom, left, right } = trim(this.plane, this.rows, this.cols);
    const [height, width] = [bottom - top, right - left];
    const cut = height !== this.rows || width !== this.cols;
    if (cut && Math.min(height, width) >= LEAST_SIDE) {
      const hasher = new Hasher(height, width);
      for (let r = 0; r < height; r++) hasher.add(r, this.plane, (top + r) * this.cols + left);
      views.push({ ...hasher.finish(), edit: "border" });
    }
    return views;
  }
}

const pause = () => new Promise((resolve) => { setTimeout(resolve); });

// The views of what can be drawn; `step` is told the share that is done, 0..1.
async function viewsOf(drawable, width, height, step = () => {}) {
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP_PIXELS / width)));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, rows];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high"; // where a video's frames are brought to one size
  const picture = new Picture(height, width);
  for (let top = 0; top < height; top += rows) {
    context.fillStyle = "#fff"; // what is transparent is laid over white
    context.fillRect(0, 0, width, rows);
    context.drawImage(drawable, 0, -top, width, height);
    const count = Math.min(rows, height - top);
    picture.add(top, count, context.getImageData(0, 0, width, count).data);
    step((top + count) / height);
    await pause();
  }
  return picture.finish();
}

export class Unreadable extends Error {}

// The views of a picture, upright as its EXIF says, each {hashes, quality, edit}.
export async function viewsOfPicture(file, step) {
  let bitmap;
  try {
    // Colours as they are stored: the service applies no profiles either.
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Unreadable("unreadable");
  }
  try {
    const { width, height } = bitmap;
    if (width * height > MOST_PIXELS) throw new Unreadable("large");
    return await viewsOf(bitmap, width, height, step);
  } finally {
    bitmap.close();
  }
}

// ── videos ──────────────────────────────────────────────────────────────────────────────────

function happens(target, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Unreadable("unreadable")), PATIENCE);
    const settle = (how) => () => { clearTimeout(timer); how(); };
    target.addEventListener(name, settle(resolve), { once: true });
    target.addEventListener("error", settle(() => reject(new Unreadable("unreadable"))), { once: true });
  });
}

function distance(one, other) {
  let bits = 0;
  for (let i = 0; i < one.length; i++) {
    for (let v = parseInt(one[i], 16) ^ parseInt(other[i], 16); v; v &= v - 1) bits++;
  }
  return bits;
}

// The views of those frames of a video that differ, in order; of at most `most` frames.
export async function viewsOfVideo(file, most, step = () => {}) {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true, preload: "auto" });
  const address = URL.createObjectURL(file); // names the file within this page; it goes nowhere
  try {
    video.src = address;
    await happens(video, "loadeddata");
    const scale = FRAME_SIDE / Math.max(video.videoWidth, video.videoHeight);
    if (!Number.isFinite(scale)) throw new Unreadable("unreadable");
    const [width, height] = [video.videoWidth, video.videoHeight].map((side) => Math.max(1, Math.round(side * scale)));
    const frames = [];
    const times = timesOf(video.duration);
    for (const [number, time] of times.entries()) {
      const there = happens(video, "seeked");
      video.currentTime = time;
      await there;
      const views = await viewsOf(video, width, height);
      const last = frames.at(-1)?.[0].hashes[0];
      if (!last || distance(last, views[0].hashes[0]) > SAME_FRAME) frames.push(views);
      step((number + 1) / times.length);
    }
    return spread(frames.filter((views) => views[0].quality >= LEAST_QUALITY), most).flat();
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(address);
  }
}

function timesOf(duration) {
  if (!Number.isFinite(duration) || duration <= 0) return [0];
  const count = Math.max(1, Math.min(MOST_LOOKED_AT, Math.floor(duration / FRAME_STEP)));
  return Array.from({ length: count }, (_, k) => ((k + 0.5) * duration) / count);
}

function spread(all, most) {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, k) => all[Math.floor((k * all.length) / most)]);
}
