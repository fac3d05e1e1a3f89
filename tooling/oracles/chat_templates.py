"""Writes packages/model/fixtures/chat-templates.json: small templates of our own, one per feature that public chat templates
use, rendered by transformers' apply_chat_template.

python tooling/oracles/chat_templates.py
"""

import json
from pathlib import Path

import transformers
from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parents[2] / "packages/model/fixtures"
TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": " What is it? "},
    {"role": "assistant", "content": "<think>long\nthoughts</think>\n\nAn answer."},
    {"role": "user", "content": "Sure?\nReally sure?"},
]
PARTS = [{"role": "user", "content": [{"type": "text", "text": "Look at "}, {"type": "text", "text": "this."}]}]
NO_SYSTEM = TURNS[1:]
EACH = "{% for message in messages %}"
# name -> (template, messages)
TEMPLATES = {
    "plain loop": (EACH + "[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}", TURNS),
    "attribute access": (EACH + "{{ message.role }}: {{ message.content }};{% endfor %}", TURNS),
    "generation prompt": (EACH + "{{ message.content }}|{% endfor %}{% if add_generation_prompt %}A:{% endif %}", TURNS),
    "bos and eos": ("{{ bos_token }}" + EACH + "{{ message.content + eos_token }}{% endfor %}", TURNS),
    "eos joined with literals": (EACH + "{{ '[' + message.role + ']' + message.content + eos_token }}{% endfor %}", TURNS),
    "pad and unknown tokens": ("{{ pad_token }}{{ unk_token is defined and unk_token }}" + EACH + "{{ message.role }}{% endfor %}", TURNS),
    "white space control": (EACH + "\n    {%- if loop.first -%}\n  first\n    {%- endif %}\n    {{- message.role }}\n  {% endfor -%}\n end", TURNS),
    "trimmed blocks": (EACH + "\n{% if message.role == 'user' %}\n  {{ message.content }}\n{% endif %}\n{% endfor %}", TURNS),
    "system message apart": ("{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set rest = messages[1:] %}{% else %}{% set system = 'none' %}{% set rest = messages %}{% endif %}<{{ system }}>{% for m in rest %}{{ m.role }} {% endfor %}", TURNS),
    "default system message": ("{% if messages[0]['role'] != 'system' %}DEFAULT {% endif %}" + EACH + "{{ message.role }} {% endfor %}", NO_SYSTEM),
    "loop variables": (EACH + "{{ loop.index0 }}/{{ loop.length }}{% if not loop.last %}, {% endif %}{% endfor %}", TURNS),
    "reasoning dropped": (EACH + "{% if message.role == 'assistant' %}{% set c = message.content %}{% if '</think>' in c %}{% set c = c.split('</think>')[-1] %}{% endif %}{{ c }}{% else %}{{ message.content }}{% endif %}|{% endfor %}", TURNS),
    "reasoning kept in the last turn": ("{%- set ns = namespace(last=messages|length - 1) %}{%- for m in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}{%- if ns.last == messages|length - 1 and m.role == 'user' %}{%- set ns.last = index %}{%- endif %}{%- endfor %}{{ ns.last }}" + EACH + "{%- if loop.index0 > ns.last %}*{% endif %}{{ message.role }}{% endfor %}", TURNS),
    "strip functions": (EACH + "<{{ message.content.strip() }}|{{ message.content.lstrip('\\n') }}|{{ message.content.rstrip('?') }}>{% endfor %}", TURNS),
    "starts and ends": (EACH + "{{ message.content.startswith('<think>') }}{{ message.content.endswith('sure?') }} {% endfor %}", TURNS),
    "filters": (EACH + "{{ message.content | trim | length }} {{ message.role | upper }} {{ message.role | capitalize }} {{ message.role | title }};{% endfor %}", TURNS),
    "joined filters": ("{{ messages | map(attribute='role') | join(', ') }} / {{ messages | selectattr('role', 'equalto', 'user') | list | length }}", TURNS),
    "rejected roles": ("{{ messages | rejectattr('role', 'equalto', 'system') | map(attribute='role') | list }}", TURNS),
    "parts of a message": (EACH + "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif %}{% endfor %}", PARTS),
    "parts joined by a filter": (EACH + "{{ message.content if message.content is string else message.content | map(attribute='text') | join('') }}{% endfor %}", PARTS),
    "macro": ("{% macro turn(role, text) %}<{{ role }}>{{ text | trim }}</{{ role }}>{% endmacro %}" + EACH + "{{ turn(message.role, message.content) }}{% endfor %}", TURNS),
    "macro with a default": ("{%- macro show(text, mark='!') -%}{{ text }}{{ mark }}{%- endmacro -%}" + EACH + "{{ show(message.role) }}{{ show(message.role, mark='?') }}{% endfor %}", TURNS),
    "tests": (EACH + "{{ message.content is string }} {{ message.tool_calls is defined }} {{ message.name is undefined }} {{ none is none }} {{ 3 is number }} {{ message is mapping }};{% endfor %}", TURNS),
    "json": ("{{ messages | tojson }} {{ {'a': [1, 2.5, none, true], 'é': '<b>'} | tojson }} {{ [1, 2] | tojson(indent=2) }}", TURNS[:2]),
    "dictionary items": ("{% for k, v in {'b': 1, 'a': 2}.items() %}{{ k }}={{ v }} {% endfor %}{{ {'a': 1}.get('b', 7) }} {{ 'a' in {'a': 1} }}", TURNS),
    "loop conditions": ("{% for m in messages if m.role == 'user' %}{{ loop.index }}:{{ m.content | trim }} {% else %}none{% endfor %}", TURNS),
    "loop controls": (EACH + "{% if message.role == 'system' %}{% continue %}{% endif %}{% if loop.index == 4 %}{% break %}{% endif %}{{ message.role }} {% endfor %}", TURNS),
    "arithmetic and slices": ("{{ (7 + 2) * 3 - 10 // 4 }} {{ 7 % 3 }} {{ 2 ** 3 }} {{ messages[-1].content[:5] }} {{ messages[1:3] | length }} {{ 'abc'[::-1] }} {{ range(2, 8, 3) | list }}", TURNS),
    "inline conditions": (EACH + "{{ 'U' if message.role == 'user' else ('A' if message.role == 'assistant' else 'S') }}{% endfor %}", TURNS),
    "generation marks": (EACH + "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}{% endgeneration %}{% else %}{{ message.content }}{% endif %}|{% endfor %}", TURNS),
    "dates": ("{{ strftime_now('%d %b %Y')[2] }}{{ strftime_now('%Y') | length }}" + EACH + "{{ message.role }}{% endfor %}", TURNS),
    "tools that there are not": ("{% if tools is defined and tools %}TOOLS{% else %}none{% endif %}{% if not documents %} no documents{% endif %}" + EACH + "{{ message.role }}{% endfor %}", TURNS),
    "replaced and split": (EACH + "{{ message.content.replace('sure', 'certain') }} {{ message.content.split('\\n') }} {{ message.content.split(' ', 1) | length }};{% endfor %}", TURNS),
    "comments and raw": ("{# nothing #}{% raw %}{{ not }}{% endraw %}" + EACH + "{{- message.role -}}{% endfor %}", TURNS),
    "concatenation": (EACH + "{{ message.role ~ ': ' ~ loop.index ~ ' ' ~ 1.5 }};{% endfor %}", TURNS),
}


def main() -> None:
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(ROOT / "tokenizer/tokenizer.json"))
    tokenizer.add_special_tokens({"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"})
    cases = []
    for name, (template, messages) in TEMPLATES.items():
        render = lambda add: tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, add_generation_prompt=add)
        cases.append({"name": name, "template": template, "messages": messages, "with": render(True), "without": render(False)})
    about = {"transformers": transformers.__version__, "bosToken": "<|endoftext|>", "eosToken": "<|im_end|>", "padToken": "<|endoftext|>"}
    (ROOT / "chat-templates.json").write_text(json.dumps({**about, "cases": cases}, indent=1, ensure_ascii=False) + "\n")


main()
