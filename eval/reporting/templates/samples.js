// The browser of samples: filters, search, and a list that unfolds each sample. The samples lie in
// the page as JSON; "question" and "output" are HTML that was escaped where it was made, all else
// is text.

const PAGE_LENGTH = 50;
const LABELS = {
  model: 'model',
  task: 'task',
  extracted: 'extracted answer',
  gold: 'right answer',
  printed: 'program printed',
  graders: 'graders',
  status: 'status',
  how: 'answer found by',
  program: 'program',
  tokens: 'tokens',
  level: 'level',
  kind: 'kind',
};

const samples = JSON.parse(document.getElementById('samples').textContent);
const list = document.getElementById('list');
const more = document.getElementById('more');
const search = document.getElementById('search');
const filters = [...document.querySelectorAll('[data-field]')];

let found = [];
let shown = 0;

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function sampleElement(sample) {
  const right = sample.verdict === 'right';
  const summary = element('summary');
  summary.append(element('span', right ? 'good' : 'bad', right ? '✓ right ' : '✗ wrong '));
  const question = element('span', '', sample.short);
  question.lang = sample.language;
  summary.append(`${sample.model}, ${sample.task}: `, question);

  const details = element('details', 'sample');
  details.append(summary);
  // Most samples are never opened: their formulas are set when they are.
  details.addEventListener('toggle', () => {
    if (details.childElementCount === 1) unfold(details, sample);
  });
  return details;
}

function unfold(details, sample) {
  for (const [label, content] of [['Question', sample.question], ['Output', sample.output]]) {
    const text = element('div', 'text');
    text.innerHTML = content;
    text.lang = sample.language;
    details.append(element('span', 'soft', label), text);
  }

  const facts = element('dl');
  for (const [field, label] of Object.entries(LABELS)) {
    const value = sample[field];
    if (value !== null && value !== '') facts.append(element('dt', '', label), element('dd', '', value));
  }
  details.append(facts);
}

function showNext() {
  list.append(...found.slice(shown, shown + PAGE_LENGTH).map(sampleElement));
  shown = Math.min(found.length, shown + PAGE_LENGTH);
  more.hidden = shown >= found.length;
  document.getElementById('found').textContent = `${found.length} of ${samples.length} samples`;
}

// What a reader sees of a sample, without the markup; made when first searched.
function plainText(sample) {
  if (sample.plain === undefined) {
    const template = document.createElement('template');
    template.innerHTML = sample.question + ' ' + sample.output;
    sample.plain = `${template.content.textContent} ${sample.gold} ${sample.extracted}`.toLowerCase();
  }
  return sample.plain;
}

function choose() {
  const words = search.value.toLowerCase();
  const matches = (sample) =>
    filters.every((filter) => !filter.value || String(sample[filter.dataset.field]) === filter.value) &&
    (!words || plainText(sample).includes(words));

  found = samples.filter(matches);
  shown = 0;
  list.replaceChildren();
  showNext();
}

for (const control of [...filters, search]) control.addEventListener('input', choose);
more.addEventListener('click', showNext);
choose();
