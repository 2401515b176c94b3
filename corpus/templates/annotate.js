// Marks the rows that the person touches, and saves their decisions as a YAML file.

const fields = [...document.querySelectorAll('fieldset[data-prefix]')];

for (const field of fields) {
  field.addEventListener('change', () => field.closest('tr').classList.add('touched'));
}

function yamlText() {
  const all = document.getElementById('all').checked;
  const kept = fields.filter((field) => all || field.closest('tr').classList.contains('touched'));
  // A string of JSON is a string of YAML, whatever characters the address has.
  const rows = kept.map((field) => [
    `- prefix: ${JSON.stringify(field.dataset.prefix)}`,
    `  decision: ${field.querySelector('input:checked').value}`,
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
