FROM node:22
ENV HOME=/home/node
USER 1000:1000
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/home/node/.npm,uid=1000,gid=1000 \
    npm ci
RUN pip install --user flask
