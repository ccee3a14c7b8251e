FROM node:22
ENV HOME=/home/node
USER 1000:1000
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
RUN pip install --user flask
