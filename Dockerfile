# One Kefu server. On a machine without a GPU a CPU build of torch saves gigabytes: name its index in PIP_EXTRA_INDEX_URL.
FROM python:3.11-slim
ARG PIP_EXTRA_INDEX_URL
WORKDIR /kefu
COPY constraints.txt ./
RUN pip install --no-cache-dir -c constraints.txt torch
COPY . .
RUN pip install --no-cache-dir -c constraints.txt -e ".[milvus]" \
    && useradd --create-home kefu \
    && mkdir -p /data/releases \
    && chown -R kefu /data
USER kefu
ENV KEFU_DATA=/data KEFU_HOST=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=10s --start-period=300s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=5)"]
CMD ["kefu", "serve"]
