'use strict';

const express = require('express');
const { nanoid } = require('nanoid');

const links = new Map();
const app = express();
app.use(express.json());

app.post('/links', (request, response) => {
  const { url } = request.body ?? {};
  if (!URL.canParse(url)) {
    return response.status(400).json({ error: 'url: not an absolute URL' });
  }
  const id = nanoid(8);
  links.set(id, url);
  return response.status(201).json({ id });
});

app.get('/:id', (request, response) => {
  const url = links.get(request.params.id);
  return url ? response.redirect(url) : response.sendStatus(404);
});

const port = process.env.PORT ?? 3000;
app.listen(port, () => console.log(`listening on port ${port}`));
