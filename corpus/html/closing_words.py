"""Words that say on a page, in many languages, that what follows is no content of it.

A vocabulary only: `corpus.html.content_lines` decides what is done about it. Phrases are lower case and
without punctuation and digits, as `words_of` gives them. A `*` at the end says that up to six more
words may follow.
"""

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_OPEN_END = 6  # words that may follow where a phrase ends with an asterisk
_LONGEST_PAIR = 6  # words of a heading that is known by two of them

# ---- headings of shelves: other pages are shown from here on ----

_SHELVES = """
you may also *; you might also *; you may like *; also on *; around the web *; from the web *; from around *
most read *; most popular *; most viewed *; most shared *; most recent *; most commented *; now trending *
trending *
popular on *; popular now *; popular right now *; popular in *; read next *; up next *; what to read next
don't miss *; editor's picks *
explore further; keep reading; go further; more from *; more on *; more in *; more great *; more like this
recommended *; recommended for *
latest from *; latest in *; sponsored *; promoted *; paid content *; partner content *; in case you missed it *
related; related to this *
see also on *; recently posted *; must read *; featured video *; our picks *; more news; more stories
das könnte *; auch interessant *; mehr zum thema *; mehr von *; mehr aus *; mehr lesen *; mehr dazu *
mehr nachrichten *; mehr anzeigen
meistgelesen *; am meisten gelesen *; wir empfehlen *; unsere empfehlungen *; empfehlungen; lesen sie auch *
lesetipps *; lesetipp *; lust auf mehr *
dazu passend *; passend dazu *; aus dem ressort *; weitere themen; auch auf *; unsere produktempfehlungen
aktuell beliebt
à lire aussi *; a lire aussi *; lire aussi *; sur le même sujet *; sur le même thème *; dans la même rubrique *
vous aimerez *
vous pourriez *; les plus lus *; voir aussi sur *; à découvrir *; nos recommandations *; à la une *
te puede interesar *; también te puede *; le puede interesar *; lo más leído *; lo más visto *; más noticias *
más leídas *; más en *; lee también *
lea también *; también en *; relacionado; relacionados; recomendados *; últimas noticias *; te recomendamos *
leia também *; leia mais *; veja também *; mais lidas *; mais notícias *; você pode gostar *; relacionadas
recomendados para *
leggi anche *; potrebbe interessarti *; potrebbero interessarti *; i più letti *; ti potrebbe *; vedi anche su *
altri articoli *
zobacz też *; zobacz także *; zobacz również *; czytaj też *; czytaj także *; czytaj również *; polecamy *
rekomendacje; najczęściej czytane *
przeczytaj także *; dowiedz się więcej *; najnowsze *; pozostałe tematy
lees ook *; lees meer *; meest gelezen *; ook interessant *; bekijk ook *; aanbevolen *
läs också *; läs mer *; mest lästa *; læs også *; mest læste *; les også *; mest lest *; lue myös *
luetuimmat *
читайте также *; смотрите также *; ещё по теме *; еще по теме *; по теме *; новости по теме *; свежие новости *
самое читаемое *
самое популярное *; самое интересное *; что ещё почитать *; что еще почитать *; показать ещё *; показать еще *
партнеры; партнёры; новости партнеров *
новости партнёров *; рекомендуем *; последние новости *; вам может *; читайте ещё *; читайте еще *
ilgili haberler *; benzer haberler *; diğer haberler *; en çok okunan *; öne çıkan *; bunlar da *
ilginizi çekebilir *
czytaj więcej *; související *; mohlo by vás *; čtěte také *; olvasd el *; kapcsolódó cikkek *; citește și *
διαβάστε επίσης *; baca juga *; xem thêm *
"""
# Two words near the beginning of a heading, one of each set.
_SHELF_PAIRS = """
related similar recommended more recent latest popular trending other featured top also further previous next +
    posts post articles article stories story news content links reading topics videos video searches items entries
    headlines products pages coverage reads
ähnliche verwandte weitere mehr neueste neue aktuelle beliebte letzte passende empfohlene andere ältere
    vorherige nächste vorheriger nächster neuester + beiträge beitrag artikel themen nachrichten meldungen
    branchenmeldungen news produkte posts videos inhalte links rezepte einträge bücher stories texte
articles article sujets contenus vidéos billets actualités + similaires liés connexes récents populaires
    associés recommandés suggérés
artículos artículo noticias noticia entradas notas contenidos publicaciones temas contenido + relacionados
    relacionadas relacionado similares recientes destacados destacadas recomendados recomendadas
artigos notícias posts matérias conteúdos conteúdo + relacionados relacionadas recentes semelhantes relacionado
articoli post notizie contenuti + correlati correlate simili recenti collegati collegate consigliati
podobne powiązane najnowsze polecane pozostałe inne + artykuły wpisy posty tematy wiadomości
gerelateerde verwante meer laatste andere + artikelen berichten nieuws onderwerpen
relaterade relaterede relaterte fler flere senaste seneste siste + artiklar artikler inlägg indlæg innlegg
    nyheter nyheder saker
похожие свежие другие последние популярные рекомендуемые читайте + записи новости статьи материалы посты
    публикации
"""

# ---- bars: a line or a few that are tools of the site ----

_BARS = """
share; share this *; share on *; share via *; share the *; sign up *; subscribe *; newsletter *; newsletters *
follow us *; stay connected *
stay informed *; stay up to date *; about the author *; about author *; post navigation; filed under *; tags
tagged *; tagged with *; posted in *
topics in this *; in this article *; trackbacks *; join our *; get our *; get the latest *; tell us what *
rate this *; was this *; leave feedback *
keep up to date *; keep me up to date *; print this *; email this *; e mail this *; connect with us *
download our *
teilen; teilen sie *; artikel teilen *; beitrag teilen *; diesen artikel *; diesen beitrag *
diese geschichte teilen *; teile diesen *; teile den *; mit freunden teilen *
teile mit *; folge uns *; folgen sie uns *; folgen; über den autor *; über die autorin *; über den verfasser *
schlagwörter *; schlagworte *; schlagwort *; themen
jetzt teilen; seite empfehlen *; seite drucken; artikel drucken *; getaggt mit *; eingeordnet unter *
abgelegt unter *; veröffentlicht in *; newsletter abonnieren *
bewerten; bewerte diesen *; unterstütz unsere *; unterstützen sie *; autor in; gib hier deinen *
partager *; suivez nous *; abonnez vous *; mots clés *; inscrivez vous *; à propos de l'auteur *; étiquettes *
compartir *; comparte *; síguenos *; suscríbete *; suscribite *; etiquetas *; sobre el autor *
acerca del autor *; temas en *
compartilhe *; compartilhar *; siga nos *; inscreva se *; marcadores *; sobre o autor *
condividi *; seguici *; iscriviti *; etichette *; tag; informazioni sull'autore *
udostępnij *; obserwuj nas *; zapisz się *; tagi; o autorze *
deel dit *; deel deze *; deel via *; deel op *; volg ons *; over de auteur *; trefwoorden *
поделиться *; поделитесь *; подписывайтесь *; подпишитесь *; теги *; метки *; об авторе *; следите за *
paylaş *; takip et *; etiketler *; dela; dela på *; följ oss *; del; del på *; følg oss *
"""

# ---- comments: the readers' words follow, to the end of the page ----

_COMMENTS = """
leave a reply *; leave a comment *; leave your comment *; leave a response *; post a comment *; post comment *
write a comment *; add a comment *
add your comment *; submit a comment *; view comments *; show comments *; all comments *; reader comments *
join the conversation *
join the discussion *; comment on this *; be the first to comment *; comments are closed *; comments closed *
comments on *; comments for *; comments powered by *
please log in to comment *; thoughts on *; responses to *; response to *; replies to *; cancel reply *
no comments *
schreibe einen kommentar *; schreiben sie einen *; hinterlasse einen *; hinterlasse eine *; hinterlassen sie *
verfasse einen *; kommentar schreiben *
kommentar hinzufügen *; kommentar abgeben *; kommentar verfassen *; kommentar hinterlassen *
kommentar erstellen *; leserkommentare *; alle kommentare *; ersten kommentar *
schreib den ersten *; artikel kommentieren *; ein gedanke zu *; gedanken zu *; kommentare zu *; kommentieren
antwort schreiben *; keine kommentare *; ältere kommentare *
jetzt einen kommentar *; diskutieren sie mit *; diskussion zu *; neueste zuerst *
laisser un commentaire *; ajouter un commentaire *; poster un commentaire *; écrire un commentaire *
publier un commentaire *; laissez un commentaire *; vos commentaires *
aucun commentaire *
deja un comentario *; deja una respuesta *; dejar un comentario *; agregar comentario *; escribe un comentario *
añadir comentario *; sé el primero en *
deixe um comentário *; deixe uma resposta *; deixar um comentário *; deixe seu comentário *; comente *
lascia un commento *; scrivi un commento *; aggiungi un commento *; lascia una risposta *
dodaj komentarz *; napisz komentarz *; zostaw komentarz *; plaats een reactie *; geef een reactie *
laat een reactie *; reageer *
lämna ett svar *; lämna en kommentar *; skriv en kommentar *; legg igjen en *; efterlad et svar *
jätä kommentti *
оставить комментарий *; добавить комментарий *; написать комментарий *; оставьте комментарий *; оставьте ваш *
ваш комментарий *; комментарии к *
yorum yap *; yorum yaz *; bir yorum yazın *; bir cevap yazın *; napsat komentář *; přidat komentář *
szólj hozzá *; lasă un *; γράψτε ένα *
"""
# Alone, or with a number: "12 comments", "Comments (3)".
_COUNTED = frozenset(
    """
    comments comment responses replies kommentare kommentar leserkommentare reaktionen commentaires
    commentaire réactions comentarios comentario comentários comentário commenti commento komentarze
    reacties reactie kommentarer kommentit комментарии комментарий комментариев yorumlar yorum komentáře
    hozzászólások comentarii σχόλια
    """.split()
)

# ---- languages without spaces between words: how a line begins ----

_UNSPACED_SHELVES = """
関連記事; 関連エントリ; 関連リンク; 関連ニュース; 関連キーワード; 関連商品; おすすめ; 人気記事; 人気の; 最新記事
最新の記事; あわせて読みたい; 合わせて読みたい; ランキング; アクセスランキング; こちらもおすすめ; 相关文章
相关阅读; 相关新闻; 相关推荐; 相关链接; 相關文章; 相關閱讀; 相關新聞; 推荐阅读; 推薦閱讀; 热门文章; 热门推荐
最新文章; 猜你喜欢; 延伸阅读; 延伸閱讀; 大家都在看; 관련기사; 관련 기사; 추천기사; 추천 기사; 인기기사
인기 기사; 많이 본; 최신기사; ข่าวที่เกี่ยวข้อง; บทความที่เกี่ยวข้อง
"""
_UNSPACED_BARS = """
この記事をシェア; この記事を共有; シェアする; 前の記事; 次の記事; 前へ; 次へ; タグ：; カテゴリ：; 分享到; 分享至
上一篇; 下一篇; 标签：; 標籤：; 责任编辑; 공유하기; 이전 글; 다음 글; スポンサードリンク; スポンサード リンク
"""
_UNSPACED_COMMENTS = """
コメントを; コメント一覧; コメント（; コメント(; コメントする; 发表评论; 發表評論; 评论（; 评论(; 网友评论
全部评论; 最新评论; 发表回复; 留言板; 我要评论; 댓글; แสดงความคิดเห็น
"""

# ---- single lines ----

# Whole lines that are buttons, labels of advertisements and the like.
_BUTTONS = """
advertisement *; advertisements; advertising; advertise; advertorial; advert; ads; anzeige; anzeigen; werbung
reklama; реклама; publicidad; publicité; pubblicità
publicidade; annonce; annons; advertentie; sponsored links; sponsored link; continue reading *; read more
weiterlesen *; mehr erfahren; mehr lesen
zurück; zurück zur *; zurück zum *; zum seitenanfang; nach oben; skip to *; zum inhalt *; direkt zum *
springe *; jump to *; back to top; to top; drucken
email; e mail; tweet; tweeten; twittern; facebook; twitter; whatsapp; pinterest; linkedin; xing; telegram
reddit; reply; antworten; répondre; responder; rispondi
ответить; login; log in; logout; anmelden; registrieren; sign in; sign up; einloggen; subscribe; suche; suchen
suche nach; suchbegriff *; you are here *; sie sind hier *
du bist hier *; sie befinden sich hier *; home; weiter; vorherige *; nächste *; previous post *; next post *
vorheriger *; nächster *; shares
likes; gefällt mir *; loading *; lädt *; laden *; view image; view images; see more; show more
mehr anzeigen; menü; schließen; merken
artikel merken; bookmark; kommentieren; melden; bloggern gefällt das; lire la suite; leer más; ler mais
leggi tutto; читать далее; подробнее; czytaj dalej
bloggers like this; abonnieren; jetzt abonnieren; sponsored by; feedback to editors; post comment; original text
zur startseite; startseite
"""
# Notices of a site, anywhere in a line that is not long: what all of a group have in common -> the group.
_NOTICES = """
rights reserved: all rights reserved
rechte: alle rechte vorbehalten
derechos: todos los derechos reservados
direitos: todos os direitos reservados
droits: tous droits réservés
diritti: tutti i diritti riservati
prawa: wszelkie prawa zastrzeżone
права: все права защищены
rechten: alle rechten voorbehouden
telif: telif hakları
版权: 版权所有
断転載: 無断転載
powered: powered by; proudly powered
javascript: requires javascript; enable javascript; javascript is disabled; javascript is required
    javascript aktivieren; javascript deaktiviert
cookie: uses cookies; use cookies; verwendet cookies; verwenden cookies; nutzt cookies; nutzen cookies
    benutzt cookies; cookie policy; cookie-richtlinie; cookie settings; cookie-einstellungen; utilise des cookies
    utiliza cookies; usa cookies; diese cookies; these cookies; notwendige cookies; necessary cookies
    cookies helfen; cookies are
mail: email address will not be; e-mail address will not be; mail-adresse wird nicht; your e-mail address
    meinen namen, meine e-mail
required: required fields are marked
felder: felder sind mit
akismet: akismet
datenschutz: datenschutzerklärung; klicks für mehr datenschutz
privacy: privacy policy
terms of: terms of use; terms of service
logged in: must be logged in
log in: must log in; log in to comment; log in to post
login: login to comment
anmelden: sich anmelden, um; anmelden um zu kommentieren
sign up: sign up for our
subscri: subscribe to our
newsletter: newsletter abonnieren
adblock: adblocker
subject to: is subject to copyright
wordpress: wordpress theme
bloggern: bloggern gefällt
notify me: notify me of
benachrichtig: benachrichtige mich; benachrichtigung bei
save my: save my name
i agree: i agree to receive
"""
_COPYRIGHT = re.compile(
    r"\W*(?:©|\(c\)|copyright)|.*(?:©|\(c\)|\bcopyright)\s*(?:by\s+)?(?:19|20)\d\d"
)
_COPYRIGHT_SIGNS = ("©", "(c)", "copyright")


def _entries(block: str) -> list[str]:
    """The entries of a block, one a line; an indented line belongs to the one before."""
    return block.strip().replace("\n    ", " ").split("\n")


def _pairs() -> dict[str, frozenset[str]]:
    """First word of a pair -> the words that may be its second."""
    pairs: dict[str, frozenset[str]] = {}
    for entry in _entries(_SHELF_PAIRS):
        firsts, _, seconds = entry.partition("+")
        for word in firsts.split():
            pairs[word] = pairs.get(word, frozenset()) | frozenset(seconds.split())
    return pairs


def _notices() -> dict[str, list[str]]:
    """What a group of notices has in common -> the notices."""
    notices: dict[str, list[str]] = {}
    for entry in _entries(_NOTICES):
        common, _, listed = entry.partition(": ")
        notices[common] = _listed(listed)
    return notices


def _listed(block: str) -> list[str]:
    """What stands between semicolons and line ends."""
    parts = block.replace("\n", ";").split(";")
    return [part.strip() for part in parts if part.strip()]


@dataclass(frozen=True, slots=True)
class _Phrase:
    words: tuple[str, ...]
    is_open: bool  # more words may follow


class _Phrases:
    """Phrases by their first word."""

    def __init__(self, listed: str):
        self._by_first: dict[str, list[_Phrase]] = {}
        for phrase in _listed(listed):
            words = tuple(phrase.split())
            is_open = words[-1] == "*"
            words = words[:-1] if is_open else words
            self._by_first.setdefault(words[0], []).append(_Phrase(words, is_open))

    def match(self, words: list[str], all_open: bool = False) -> bool:
        """Whether a line of these words is one of the phrases; with `all_open` more may follow each."""
        for phrase in self._by_first.get(words[0], ()):
            length = len(phrase.words)
            longest = length + _OPEN_END if phrase.is_open or all_open else length
            if len(words) <= longest and tuple(words[:length]) == phrase.words:
                return True
        return False


_SHELF_PHRASES = _Phrases(_SHELVES)
_BAR_PHRASES = _Phrases(_BARS)
_COMMENT_PHRASES = _Phrases(_COMMENTS)
_BUTTON_PHRASES = _Phrases(_BUTTONS)
_SECOND_WORDS = _pairs()
_NOTICES_BY_COMMON = _notices()
_SHELF_BEGINNINGS = tuple(_listed(_UNSPACED_SHELVES))
_BAR_BEGINNINGS = tuple(_listed(_UNSPACED_BARS))
_COMMENT_BEGINNINGS = tuple(_listed(_UNSPACED_COMMENTS))


def words_of(text: str) -> list[str]:
    """The words of a line, lower case, without digits and punctuation."""
    return _WORD.findall(text.lower())


def opens_comments(text: str, words: list[str], may_be_section: bool) -> bool:
    """Whether comments follow. A lone word may be the title of a section, if prose stands below it."""
    if not words:
        return False
    if text.startswith(_COMMENT_BEGINNINGS) or _COMMENT_PHRASES.match(words):
        return True
    if len(words) > 2 or _COUNTED.isdisjoint(words):
        return False
    is_counted = text[-1:] in ")]" or text[:1].isdigit()
    return is_counted or (len(words) == 1 and not may_be_section)


def opens_shelf(text: str, words: list[str]) -> bool:
    if not words:
        return False
    if text.startswith(_SHELF_BEGINNINGS) or _SHELF_PHRASES.match(words):
        return True
    seconds = _SECOND_WORDS.get(words[0])
    return (
        seconds is not None and len(words) <= _LONGEST_PAIR and not seconds.isdisjoint(words[1:3])
    )


def opens_bar(text: str, words: list[str], has_links: bool) -> bool:
    if not words:
        return False
    return text.startswith(_BAR_BEGINNINGS) or _BAR_PHRASES.match(words, all_open=has_links)


def is_button(words: list[str]) -> bool:
    """Whether a line is only a button or the like."""
    return bool(words) and _BUTTON_PHRASES.match(words)


class Notices:
    """Notices on one page: most of them are on no line of it, which one search tells.

    Args:
        lines: those that may be one.
    """

    def __init__(self, lines: list[str]):
        lower = "\n".join(lines).lower()
        self._phrases: list[str] = []
        for common, notices in _NOTICES_BY_COMMON.items():
            if common in lower:
                self._phrases += [notice for notice in notices if notice in lower]
        self._has_copyright = any(sign in lower for sign in _COPYRIGHT_SIGNS)

    def hold(self, line: str) -> bool:
        """Whether a line tells of rights, cookies, scripts or the rules for comments."""
        if not self._phrases and not self._has_copyright:
            return False
        lower = line.lower()
        if any(phrase in lower for phrase in self._phrases):
            return True
        return self._has_copyright and _COPYRIGHT.match(lower) is not None
