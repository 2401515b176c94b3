// Marks the rows that the person touches, and saves their decisions as a YAML file.

const fields = [...document.querySelectorAll('fieldset[data-prefix]')];

const ENOUGH_ANSWERS = 20; // before that the share of changed decisions says little
const AHEAD = 10; // further answers whose worth is averaged

for (const field of fields) {
  // A click, not a change: to click the automatic decision is to confirm it.
  field.addEventListener('click', (event) => {
    if (!event.target.closest('label')) return;
    field.closest('tr').classList.add('touched');
    showWorth();
  });
}

const isAnswered = (field) => field.closest('tr').classList.contains('touched');
const answer = (field) => field.querySelector('input:checked').value;
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

// How many pages a further answer changes: doubt times pages, the doubt corrected by the answers so far.
function showWorth() {
  const answered = fields.filter(isAnswered);
  const changed = answered.filter((field) => answer(field) !== field.dataset.automatic);
  let text = `${answered.length} answers, ${changed.length} of them changed a decision`;

  if (answered.length >= ENOUGH_ANSWERS) {
    const expected = sum(answered.map((field) => Number(field.dataset.doubt)));
    const correction = expected > 0 ? changed.length / expected : 0;
    const worth = fields.filter((field) => !isAnswered(field)).map((field) => {
      const chance = Math.min(1, correction * Number(field.dataset.doubt));
      return chance * Number(field.dataset.pages);
    });
    const next = worth.slice(0, AHEAD);
    const mean = next.length ? sum(next) / next.length : 0;
    text += `; each of the next ${next.length} is worth about ${mean.toFixed(1)} pages`;
    text += `, all ${worth.length} left about ${sum(worth).toFixed(0)}`;
  }
  document.getElementById('worth').textContent = text;
}

function yamlText() {
  const all = document.getElementById('all').checked;
  const kept = fields.filter((field) => all || isAnswered(field));
  // A string of JSON is a string of YAML, whatever characters the address has.
  const rows = kept.map((field) => [
    `- prefix: ${JSON.stringify(field.dataset.prefix)}`,
    `  decision: ${answer(field)}`,
    '  by: person',
  ].join('\n'));

  const prefixes = rows.length ? `prefixes:\n${rows.join('\n')}` : 'prefixes: []';
  return `version: 1\n${prefixes}\nothers: ${document.getElementById('others').value}\n`;
}

document.getElementById('save').addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([yamlText()], {type: 'text/yaml'}));
  link.download = 'url_annotations.yaml';
  link.click();
});
