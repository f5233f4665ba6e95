"""Where files are dropped on a page: one look for every upload. Knows no file and what becomes of it."""

from __future__ import annotations

from nicegui import ui

from web.console.visit import Visit

_ZONE = """
<div class="k-drop">
  <q-icon name="o_upload_file" size="26px"></q-icon>
  <div>DROP <q-btn flat dense no-caps type="a" @click="props.pickFiles" data-testid="choose">CHOOSE
    <q-uploader-add-trigger></q-uploader-add-trigger></q-btn></div>
  <div class="k-mute k-small">HINT</div>
  <div v-if="props.isUploading" class="k-small" role="status">UPLOADING {{ props.uploadProgressLabel }}</div>
</div>"""


def draw_zone(visit: Visit, upload: ui.upload, hint: str) -> None:
    """Make an upload look so. hint: our own words, which may hold markup."""
    t = visit.t
    upload.props("flat bordered").classes("w-full k-upload")
    zone = _ZONE.replace("DROP", t("drop")).replace("CHOOSE", t("choose_file")).replace("UPLOADING", t("uploading"))
    upload.add_slot("header", zone.replace("HINT", hint))
    upload.add_slot("list", "<span></span>")
