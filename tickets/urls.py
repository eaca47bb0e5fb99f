"""The site map of the tickets."""

from django.urls import path

from tickets import bulk_views, draft_views, file_views, live_views, relation_views, searching, views

urlpatterns = [
    path("tickets/", views.tickets, name="tickets"),
    path("tickets/create", views.create, name="ticket_create"),
    path("tickets/preview", views.preview, name="ticket_preview"),
    path("tickets/similar", searching.similar_tickets, name="ticket_similar"),
    path("tickets/bulk", bulk_views.many, name="tickets_bulk"),
    path("tickets/tags", relation_views.tags, name="ticket_tags"),
    path("tickets/news", live_views.news, name="ticket_news"),
    path("tickets/files", file_views.upload, name="file_upload"),
    path("tickets/files/<uuid:file>/remove", file_views.remove, name="file_remove"),
    path("tickets/<str:ref>/", views.ticket, name="ticket"),
    path("tickets/<str:ref>/next", live_views.next_ticket, name="ticket_next"),
    path("tickets/<str:ref>/previous", live_views.previous_ticket, name="ticket_previous"),
    path("tickets/<str:ref>/presence", live_views.present, name="ticket_presence"),
    path("tickets/<str:ref>/draft", draft_views.draft, name="ticket_draft"),
    path("tickets/<str:ref>/files/<uuid:file>/", file_views.look, name="ticket_file"),
    path("tickets/<str:ref>/files/<uuid:file>/preview/<int:page>", file_views.preview, name="ticket_file_preview"),
    path("tickets/<str:ref>/files/<uuid:file>/<str:name>", file_views.download, name="ticket_file_download"),
    path("tickets/<str:ref>/reply", views.reply, name="ticket_reply"),
    path("tickets/<str:ref>/undo", views.undo, name="ticket_undo"),
    path("tickets/<str:ref>/note", views.note, name="ticket_note"),
    path("tickets/<str:ref>/start", views.start, name="ticket_start"),
    path("tickets/<str:ref>/ask", views.ask, name="ticket_ask"),
    path("tickets/<str:ref>/resume", views.resume, name="ticket_resume"),
    path("tickets/<str:ref>/resolve", views.resolve, name="ticket_resolve"),
    path("tickets/<str:ref>/close", views.close, name="ticket_close"),
    path("tickets/<str:ref>/reopen", views.reopen, name="ticket_reopen"),
    path("tickets/<str:ref>/withdraw", views.withdraw, name="ticket_withdraw"),
    path("tickets/<str:ref>/assign", views.assign, name="ticket_assign"),
    path("tickets/<str:ref>/classify", views.classify, name="ticket_classify"),
    path("tickets/<str:ref>/prioritise", views.prioritise, name="ticket_prioritise"),
    path("tickets/<str:ref>/link", relation_views.link, name="ticket_link"),
    path("tickets/<str:ref>/unlink", relation_views.unlink, name="ticket_unlink"),
    path("tickets/<str:ref>/merge", relation_views.merge, name="ticket_merge"),
    path("tickets/<str:ref>/unmerge", relation_views.unmerge, name="ticket_unmerge"),
    path("tickets/<str:ref>/split", relation_views.split, name="ticket_split"),
    path("tickets/<str:ref>/tag", relation_views.tag, name="ticket_tag"),
]
