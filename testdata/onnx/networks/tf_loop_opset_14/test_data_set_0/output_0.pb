B
Identity:0JsrŒÁìFü@Ú@õ”‹ÁrÆ\@ëHA