'use strict';
// Draws the report. All text goes through textContent: nothing that a server said becomes markup.
const $ = (id) => document.getElementById(id);
const el = (name, attrs = {}, ...inside) => {
  const svg = ['svg', 'g', 'path', 'line', 'rect', 'text', 'circle'].includes(name);
  const e = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v);
  e.append(...inside);
  return e;
};
const whole = (n) => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, '\u202f');
const ms = (x) => (x >= 1000 ? whole(x) : x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));
const short = (x) => (x >= 1e6 ? +(x / 1e6).toFixed(1) + 'M' : x >= 1e4 ? +(x / 1e3).toFixed(1) + 'k' : x >= 100 ? whole(x) : String(+x.toPrecision(3)));

// The second in which all was over is only part of one.
const rows = (report.rows || []).filter((r) => !r.ending);
const setting = (name) => (report.settings.find((s) => s.name === name) || {}).value;
const W = 1040, left = 52, right = 14, above = 8, below = 24;

// scale maps values to pixels; ticks are where lines are drawn.
function linear(lo, hi, from, to, count = 5) {
  if (hi <= lo) hi = lo + 1;
  const rough = (hi - lo) / count, ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * ten).find((k) => k >= rough);
  const ticks = [];
  for (let t = Math.ceil(lo / step) * step; t <= hi + step / 1e6; t += step) ticks.push(t);
  return { at: (v) => from + ((v - lo) / (hi - lo)) * (to - from), ticks };
}
function logarithmic(lo, hi, from, to) {
  lo = Math.log10(Math.max(lo, 0.01)); hi = Math.log10(Math.max(hi, 0.02));
  if (hi - lo < 0.3) { lo -= 0.15; hi += 0.15; }
  const ticks = [], wide = hi - lo > 2.2;
  for (let d = Math.floor(lo); d <= hi; d++) for (const k of wide ? [1] : [1, 2, 5]) {
    const l = d + Math.log10(k);
    if (l >= lo - 1e-9 && l <= hi + 1e-9) ticks.push(k * 10 ** d);
  }
  return { at: (v) => from + ((Math.log10(Math.max(v, 10 ** lo)) - lo) / (hi - lo)) * (to - from), ticks };
}

// frame makes an empty chart with its axes.
function frame(box, height, width, y, x, label = short, xlabel = (v) => v + ' s') {
  const svg = el('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img' });
  for (const t of y.ticks) {
    svg.append(el('line', { class: 'grid', x1: left, x2: width - right, y1: y.at(t), y2: y.at(t) }),
      el('text', { x: left - 8, y: y.at(t) + 4, 'text-anchor': 'end' }, label(t)));
  }
  for (const t of x.ticks) svg.append(el('text', { x: x.at(t), y: height - 6, 'text-anchor': 'middle' }, xlabel(t)));
  svg.append(el('line', { class: 'axis', x1: left, x2: width - right, y1: height - below, y2: height - below }));
  box.append(svg);
  return svg;
}
function legend(box, series) {
  if (series.length < 2) return;
  box.append(el('div', { class: 'legend' }, ...series.map((s) => el('span', {}, el('i', { style: `background:var(--${s.color})` }), s.name))));
}
// hover shows what lies under the pointer.
function hover(box, svg, width, height, xs, describe) {
  const rule = el('line', { class: 'axis', y1: above, y2: height - below, visibility: 'hidden' });
  svg.append(rule);
  const tip = el('div', { class: 'tip', hidden: '' });
  box.append(tip);
  const hide = () => { tip.hidden = true; rule.setAttribute('visibility', 'hidden'); };
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('pointermove', (e) => {
    const r = svg.getBoundingClientRect(), px = ((e.clientX - r.left) / r.width) * width;
    let best = -1;
    xs.forEach((x, i) => { if (best < 0 || Math.abs(x - px) < Math.abs(xs[best] - px)) best = i; });
    if (best < 0) return hide();
    const [title, lines] = describe(best);
    tip.replaceChildren(el('b', {}, title), ...lines.map(([name, value, color]) =>
      el('div', {}, el('span', {}, ...(color ? [el('i', { style: `background:var(--${color})` })] : []), name), el('span', {}, value))));
    tip.hidden = false;
    rule.setAttribute('x1', xs[best]); rule.setAttribute('x2', xs[best]); rule.setAttribute('visibility', 'visible');
    const x = (xs[best] / width) * r.width, y = e.clientY - r.top;
    tip.style.left = (x + 14 + tip.offsetWidth > r.width ? x - 14 - tip.offsetWidth : x + 14) + 'px';
    tip.style.top = Math.max(0, Math.min(y - 20, r.height - tip.offsetHeight)) + 'px';
  });
}
function shadeRamp(svg, x, height) {
  const last = rows.filter((r) => r.ramp).at(-1);
  if (last) svg.prepend(el('rect', { x: left, width: Math.max(0, x.at(last.t_s) - left), y: above, height: height - below - above, style: 'fill:var(--ramp)' }),
    el('text', { x: left + 6, y: above + 13 }, 'joining'));
}
function empty(box, text) { box.append(el('p', { class: 'none' }, text)); }

// overTime draws lines over the run.
function overTime(id, series, { height = 220, width = W / 2, log = false, unit = '', area = false, values = ms } = {}) {
  const box = $(id);
  if (rows.length < 2) return empty(box, 'The run was too short to draw.');
  const all = series.flatMap((s) => rows.map((r) => s.of(r))).filter((v) => !log || v > 0);
  if (!all.length) return empty(box, 'Nothing was measured.');
  const x = linear(0, rows.at(-1).t_s, left, width - right, width > 600 ? 10 : 5);
  const y = log ? logarithmic(Math.min(...all) * 0.8, Math.max(...all) * 1.2, height - below, above)
    : linear(0, Math.max(...all, 1e-3) * 1.08, height - below, above, 4);
  const svg = frame(box, height, width, y, x);
  shadeRamp(svg, x, height);
  for (const s of series) {
    let path = '', open = false;
    for (const r of rows) {
      const v = s.of(r);
      if (log && !(v > 0)) { open = false; continue; }
      path += `${open ? 'L' : 'M'}${x.at(r.t_s).toFixed(1)} ${y.at(v).toFixed(1)}`;
      open = true;
    }
    if (area) svg.append(el('path', { d: `${path}L${x.at(rows.at(-1).t_s)} ${y.at(0)}L${x.at(rows[0].t_s)} ${y.at(0)}Z`, style: `fill:var(--${s.color});opacity:.12` }));
    svg.append(el('path', { d: path, style: `fill:none;stroke:var(--${s.color});stroke-width:${s.thin ? 1.2 : 2};stroke-linejoin:round;${s.thin ? 'opacity:.7' : ''}` }));
  }
  legend(box, series);
  hover(box, svg, width, height, rows.map((r) => x.at(r.t_s)), (i) =>
    [rows[i].t_s.toFixed(0) + ' s', series.map((s) => [s.name, values(s.of(rows[i])) + unit, s.color])]);
}

// stacks draws counts a second as bars.
function stacks(id, series, none) {
  const box = $(id), height = 220, width = W / 2;
  series = series.filter((s) => rows.some((r) => s.of(r) > 0));
  if (!series.length) return empty(box, none);
  const sums = rows.map((r) => series.reduce((n, s) => n + s.of(r), 0));
  const x = linear(0, rows.at(-1).t_s, left, width - right, 5), y = linear(0, Math.max(...sums) * 1.08, height - below, above, 4);
  const svg = frame(box, height, width, y, x);
  const wide = Math.max(1, Math.min(14, (width - left - right) / rows.length - 1));
  rows.forEach((r) => {
    let base = 0;
    for (const s of series) {
      const v = s.of(r);
      if (v > 0) svg.append(el('rect', { x: x.at(r.t_s) - wide, width: wide, y: y.at(base + v), height: y.at(base) - y.at(base + v), style: `fill:var(--${s.color})` }));
      base += Math.max(0, v);
    }
  });
  legend(box, [...series, { name: '', color: 'card' }].slice(0, Math.max(2, series.length)).filter((s) => s.name));
  if (series.length === 1) box.append(el('div', { class: 'legend' }, el('span', {}, el('i', { style: `background:var(--${series[0].color})` }), series[0].name)));
  hover(box, svg, width, height, rows.map((r) => x.at(r.t_s) - wide / 2), (i) => [rows[i].t_s.toFixed(0) + ' s', series.map((s) => [s.name, whole(s.of(rows[i])), s.color])]);
}

function histogram() {
  const box = $('histogram'), height = 240, width = W / 2, bars = report.histogram || [];
  if (!bars.length) return empty(box, 'No echo was heard.');
  const lo = Math.max(bars[0].from_ms, bars[0].to_ms / 1.25, 0.01), hi = bars.at(-1).to_ms;
  const x = logarithmic(lo, hi, left, width - right), most = Math.max(...bars.map((b) => b.count));
  const y = linear(0, most * 1.12, height - below, above + 12, 4);
  const svg = frame(box, height, width, y, x, short, (v) => short(v));
  const edges = bars.map((b) => [x.at(Math.max(b.from_ms, lo)), x.at(b.to_ms)]);
  bars.forEach((b, i) => {
    const h = Math.max(b.count ? 1.5 : 0, y.at(0) - y.at(b.count));
    svg.append(el('rect', { x: edges[i][0] + 0.5, width: Math.max(1, edges[i][1] - edges[i][0] - 1), y: y.at(0) - h, height: h, rx: 1.5, style: 'fill:var(--a)' }));
  });
  for (const [name, at, color] of [['p50', report.echo.p50_ms, 'e'], ['p99', report.echo.p99_ms, 'c'], ['p99.9', report.echo.p999_ms, 'd']]) {
    svg.append(el('line', { x1: x.at(at), x2: x.at(at), y1: above + 12, y2: height - below, style: `stroke:var(--${color});stroke-dasharray:3 3` }),
      el('text', { x: x.at(at), y: above + 8, 'text-anchor': 'middle', style: `fill:var(--${color})` }, name));
  }
  const total = bars.reduce((n, b) => n + b.count, 0);
  hover(box, svg, width, height, edges.map(([a, b]) => (a + b) / 2), (i) =>
    [`${ms(bars[i].from_ms)} – ${ms(bars[i].to_ms)} ms`, [['frames', whole(bars[i].count), 'a'], ['share', ((100 * bars[i].count) / total).toPrecision(3) + ' %']]]);
}

// tail draws percentiles so that each further nine takes the same room.
function tail() {
  const box = $('tail'), height = 240, width = W / 2;
  const points = (report.percentiles || []).filter((p) => p.percent < 100 && report.echo.count * (1 - p.percent / 100) >= 1);
  if (points.length < 2) return empty(box, 'No echo was heard.');
  const nines = (p) => -Math.log10(1 - p / 100), most = nines(points.at(-1).percent);
  const x = { at: (p) => left + (nines(p) / most) * (width - left - right), ticks: [50, 90, 99, 99.9, 99.99, 99.999].filter((p) => nines(p) <= most + 1e-9) };
  const y = linear(0, Math.max(...points.map((p) => p.ms)) * 1.08, height - below, above, 4);
  const svg = frame(box, height, width, y, x, short, (v) => v + '%');
  const path = points.map((p, i) => `${i ? 'L' : 'M'}${x.at(p.percent).toFixed(1)} ${y.at(p.ms).toFixed(1)}`).join('');
  svg.append(el('path', { d: `${path}L${x.at(points.at(-1).percent)} ${y.at(0)}L${left} ${y.at(0)}Z`, style: 'fill:var(--b);opacity:.12' }),
    el('path', { d: path, style: 'fill:none;stroke:var(--b);stroke-width:2;stroke-linejoin:round' }));
  for (const p of points) svg.append(el('circle', { cx: x.at(p.percent), cy: y.at(p.ms), r: 2.6, style: 'fill:var(--b)' }));
  hover(box, svg, width, height, points.map((p) => x.at(p.percent)), (i) => [points[i].percent + ' %', [['at most', ms(points[i].ms) + ' ms', 'b']]]);
}

function table(box, head, body) {
  box.append(el('table', {}, el('thead', {}, el('tr', {}, ...head.map((h) => el('th', {}, h)))),
    el('tbody', {}, ...body.map((cells) => el('tr', {}, ...cells.map((c) => (c instanceof Node ? c : el('td', {}, c))))))));
}
function pairs(box, list) {
  box.append(el('table', { class: 'list' }, el('tbody', {}, ...list.map(([k, v]) => el('tr', {}, el('td', {}, k), el('td', {}, v))))));
}
const trouble = (n) => el('td', n ? { class: 'bad' } : {}, whole(n));
const sum = (by) => Object.values(by || {}).reduce((a, b) => a + b, 0);
const named = (by) => Object.entries(by || {}).sort((a, b) => b[1] - a[1]).map(([k, n]) => `${k} ${whole(n)}`).join(', ') || 'none';

function words() {
  const f = report.frames, e = report.events, errors = sum(e.errors);
  $('when').textContent = `${new Date(report.began).toLocaleString()} · ${report.seconds.toFixed(1)} s measured${report.stopped ? ' (stopped early)' : ''} · ${setting('format')}${setting('binary') === 'true' ? ' binary' : ' JSON'} in frames of ${setting('frame-ms')} ms`;
  const missed = (report.slo || []).filter((p) => !p.met);
  if (report.slo) $('verdict').append(el('span', { class: 'pill ' + (missed.length ? 'bad' : 'good') }, missed.length ? `✕ ${missed.length} of ${report.slo.length} not met` : '✓ all met'));
  if (report.warnings.length) { $('warnings').hidden = false; $('warnings').append(...report.warnings.map((w) => el('p', {}, '⚠ ' + w))); }
  const peak = rows.reduce((n, r) => Math.max(n, r.sessions), 0);
  const tiles = [
    ...(report.capacity ? [['capacity', whole(report.capacity), 'clients']] : []),
    ['sessions', whole(peak)], ['frames/s', whole(report.seconds ? report.echo.count / report.seconds : 0)],
    ['p50', ms(report.echo.p50_ms), 'ms'], ['p99', ms(report.echo.p99_ms), 'ms'], ['p99.9', ms(report.echo.p999_ms), 'ms'],
    ['lost', whole(f.lost), '', f.lost], ['doubled', whole(f.doubled), '', f.doubled], ['differing', whole(f.differing), '', f.differing], ['errors', whole(errors), '', errors],
  ];
  $('tiles').append(...tiles.map(([name, value, unit, bad]) => el('div', { class: 'tile' + (bad ? ' bad' : '') }, el('b', {}, value, ...(unit ? [el('small', {}, unit)] : [])), el('span', {}, name))));
  if (report.slo) {
    $('slo').hidden = false;
    $('slo').querySelector('ul').append(...report.slo.map((p) => el('li', { class: p.met ? 'good' : 'bad' }, el('code', {}, p.text), (p.met ? '✓ ' : '✕ ') + p.got)));
  }
  if (report.trials) {
    $('trials').hidden = false;
    table($('trials').querySelector('.scroll'), ['clients', 'p99 ms', 'lost', 'verdict'], report.trials.map((t) =>
      [whole(t.clients), ms(t.p99_ms), whole(t.lost), el('td', { class: t.met ? 'good' : 'bad' }, (t.met ? 'met' : t.failed) + (t.own_fault ? ' (generator at its limit)' : ''))]));
  }
  const timed = [['round trip', report.echo], ['acknowledgement', report.ack], ['connect and start', report.connect], ['resume', report.resume], ['own lag', report.own.lag]];
  table($('times'), ['', 'min', 'mean', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max', 'count'], timed.filter(([, t]) => t.count).map(([name, t]) =>
    [name, ...['min_ms', 'mean_ms', 'p50_ms', 'p90_ms', 'p95_ms', 'p99_ms', 'p999_ms', 'max_ms'].map((k) => ms(t[k])), whole(t.count)]));
  const book = (name, c) => [name, whole(c.sent), whole(c.heard), trouble(c.lost), trouble(c.lost_though_acked), whole(c.announced_lost), trouble(c.doubled), trouble(c.out_of_order), trouble(c.differing)];
  table($('books'), ['', 'sent', 'heard', 'lost', 'of these acknowledged', 'announced lost', 'doubled', 'out of order', 'differing'], [book('frames', f), book('samples', report.samples)]);
  pairs($('events'), [
    ['sessions', `${whole(e.started)} started, ${whole(e.refused)} refused, ${whole(e.left)} left, ${whole(e.dropped)} dropped`],
    ['sockets', `${whole(e.sockets_cut)} cut on purpose, ${whole(e.sockets_lost)} lost otherwise, ${whole(e.resumed)} resumed`],
    ['crashes', `${whole(e.crashed)} ordered, ${whole(e.crash_refused)} refused`], ['errors', named(e.errors)], ['closes', named(e.closes)],
    ['accounts', e.disagreeing ? `${whole(e.disagreeing)} sessions ended with another count of samples than ours` : 'server and client agree on every session'],
    ['generator', `${report.own.cpu_cores.toFixed(2)} of ${report.own.cores} cores; waited ${ms(report.own.wait_p99_ms)} ms for one (p99)`],
  ]);
  pairs($('settings'), report.settings.map((s) => [s.name, s.value]));
  const foot = $('foot');
  if (report.command) foot.append('Made by ', el('code', {}, report.command));
  if (report.version) foot.append(` · aila ${report.version.slice(0, 12)}`);
}

words();
overTime('latency', [
  { name: 'p50', color: 'e', of: (r) => r.p50_ms }, { name: 'p90', color: 'a', of: (r) => r.p90_ms },
  { name: 'p99', color: 'c', of: (r) => r.p99_ms }, { name: 'max', color: 'd', thin: true, of: (r) => r.max_ms },
], { height: 280, width: innerWidth < 700 ? W / 2 : W, log: true, unit: ' ms' });
histogram();
tail();
overTime('sessions', [{ name: 'sessions', color: 'a', of: (r) => r.sessions }, { name: 'joining', color: 'c', of: (r) => r.joining }], { area: true, values: whole });
overTime('rate', [{ name: 'sent', color: 'b', of: (r) => r.sent }, { name: 'echoed', color: 'e', of: (r) => r.heard }], { values: whole });
stacks('trouble', [
  { name: 'errors', color: 'd', of: (r) => r.errors }, { name: 'lost', color: 'c', of: (r) => r.lost }, { name: 'announced lost', color: 'b', of: (r) => r.announced_lost },
  { name: 'doubled or differing', color: 'ink', of: (r) => r.doubled + r.differing + r.out_of_order },
  { name: 'sockets cut', color: 'a', of: (r) => r.sockets_cut }, { name: 'sockets lost', color: 'quiet', of: (r) => r.sockets_lost }, { name: 'resumed', color: 'e', of: (r) => r.resumed },
], 'No errors, no losses, no socket lost.');
overTime('own', [{ name: 'lag, p99', color: 'b', of: (r) => r.own_lag_p99_ms }], { unit: ' ms', area: true });
