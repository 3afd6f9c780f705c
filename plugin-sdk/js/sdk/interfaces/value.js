// Written by `cargo xtask tidy --bless` from wit/. Do not edit.

export const types = {
  'value': { variant: {
    'plain': 'string',
    'secret': 'string',
  } },
  'named-value': { record: {
    'name': 'string',
    'value': 'value.value',
  } },
  'pair': { record: {
    'name': 'string',
    'value': 'string',
  } },
};
