# The English phrase bank. One message a cell: kind-strength, and -many (bought at least twice), -unnamed (no seller
# text may be shown), -viewed and -cart (what the user does with the item), -colour, -material, -style and -use (what
# sort of attribute), -mentioned (the profile has a word of the item's) or -tail (what follows another sentence, after ", and") where the cell needs it. Every attribute is one way to say the same thing: add as many
# as you like, in any order. Code puts the values in: $item comes with its quotation marks, $value is a brand or a
# category, $times is 'twice' or '5 times', $count, $people, $days and $elapsed are numbers; $days-number and $elapsed-number only choose the plural.
# A phrase says no more than policy/lexicon_en.txt allows; a test reads them all.

span = { $days-number ->
    [one] { $days } day
   *[other] { $days } days
}

ago = { $elapsed-number ->
    [one] { $elapsed } day
   *[other] { $elapsed } days
}

repeat_purchase-causal =
    .a = Because you bought this before.
    .b = Here because you have bought it before.
    .c = Suggested because you bought this before.
    .d = You have bought this before, which is why it is here.
    .e = You bought this item before, so it is suggested again.
    .f = This is here because it is one of your earlier purchases.
    .g = Shown again because you have bought it before.

repeat_purchase-causal-many =
    .a = Because you have bought this { $times }.
    .b = Here because you have bought it { $times }.
    .c = Suggested because you have bought this { $times }.
    .d = You have bought this { $times }, which is why it is here.
    .e = You have bought this item { $times }, so it is suggested again.
    .f = This is here because you have bought it { $times }.
    .g = Shown again because you have bought it { $times }.
    .h = Bought by you { $times }, which is why it is here.

repeat_purchase-relational =
    .a = You have bought this before.
    .b = One of your earlier purchases.
    .c = This is one of your earlier purchases.
    .d = Already among your purchases.
    .e = An item you have bought before.
    .f = You know this one from an earlier purchase.
    .g = This item is already among your purchases.

repeat_purchase-relational-many =
    .a = You have bought this { $times }.
    .b = You have bought this item { $times } before.
    .c = This is one you have bought { $times }.
    .d = Already bought by you { $times }.
    .e = An item you have bought { $times }.
    .f = One you have come back to, bought { $times }.
    .g = Bought by you { $times } before.

repeat_purchase-relational-ago =
    .a = You bought this { ago } ago.
    .b = Bought by you { ago } ago.
    .c = It is { ago } since you bought this.
    .d = Last time you bought this was { ago } ago.
    .e = From an order of yours, { ago } ago.
    .f = One of your purchases from { ago } ago.
    .g = Already yours once, bought { ago } ago.
    .h = Among your purchases of { ago } ago.
    .i = In your order of { ago } ago, and here again.
    .j = Your latest purchase of this was { ago } ago.
    .k = Something that you bought { ago } ago.
    .l = A purchase of yours from { ago } ago.
    .m = Ordered by you { ago } ago.

repeat_purchase-relational-many_ago =
    .a = You have bought this { $times }, most recently { ago } ago.
    .b = Bought by you { $times }, and { ago } ago the last time.
    .c = It is { ago } since you last bought this, { $times } in all.
    .d = Last bought { ago } ago, and { $times } in all.
    .e = One you have come back to { $times }, the last time { ago } ago.
    .f = Your orders have had this { $times }, most recently { ago } ago.
    .g = In your orders { $times } until now, and { ago } ago the last time.
    .h = Most recently { ago } ago, and { $times } in all, you bought this.
    .i = Ordered by you { $times }, most recently { ago } ago.
    .j = Already bought { $times } by you, the last time { ago } ago.

history_item-causal =
    .a = Because you bought { $item }.
    .b = Here because you bought { $item }.
    .c = You bought { $item }, which is why this is here.
    .d = Your purchase of { $item } brought this here.
    .e = Suggested because you bought { $item }.
    .f = This is here because of { $item }, which you bought.
    .g = Here thanks to your purchase of { $item }.
    .h = You bought { $item }, so this was chosen for you.
    .i = You bought { $item }, hence this suggestion.
    .j = Chosen for you because you bought { $item }.
    .k = Your purchase of { $item } led to this suggestion.
    .l = But for { $item } in your orders, something else would be here.
    .m = It took { $item } in your orders to bring this here.
    .n = Your order of { $item } is the reason for this one.

history_item-causal-unnamed =
    .a = Because of an earlier purchase of yours.
    .b = Here because of something you bought before.
    .c = An earlier purchase of yours brought this here.
    .d = Suggested because of one of your earlier purchases.
    .e = One of your earlier purchases led to this suggestion.
    .f = Here thanks to something you bought before.
    .g = This is here because of an earlier purchase of yours.

history_item-contributory =
    .a = In line with { $item }, which you bought.
    .b = Your purchase of { $item } points to this.
    .c = In keeping with { $item }, which you bought.
    .d = Follows on from { $item }, which you bought.
    .e = You bought { $item }, and this follows on from it.
    .f = Suggested in part by your purchase of { $item }.
    .g = { $item }, which you bought, points this way.
    .h = Your purchase of { $item } speaks for this one.
    .i = Among your purchases, { $item } speaks for this one.
    .j = This follows on from your purchase of { $item }.
    .k = Chosen partly on the strength of { $item }, which you bought.
    .l = You bought { $item }, and this is in line with it.
    .m = { $item } from your orders counted in its favour.
    .n = A nod to { $item }, one of your purchases.
    .o = Builds on { $item } from an order of yours.
    .p = Some of this goes back to { $item }, a purchase of yours.
    .q = Your choice of { $item } counted here.
    .r = Helped here by { $item } in one of your orders.

history_item-contributory-unnamed =
    .a = In line with an earlier purchase of yours.
    .b = One of your earlier purchases points to this.
    .c = Follows on from something you bought before.
    .d = Suggested in part by an earlier purchase of yours.
    .e = This follows on from one of your earlier purchases.
    .f = An earlier purchase of yours speaks for this one.
    .g = In keeping with something you bought before.

history_item-relational =
    .a = Chosen with your purchase of { $item } in mind.
    .b = Picked with { $item }, which you bought, in mind.
    .c = With your purchases in mind, { $item } among them.
    .d = This takes your purchases into account, { $item } among them.
    .e = Your purchase of { $item } was taken into account here.
    .f = Among the purchases taken into account here is { $item }.
    .g = Suggested with a view to what you bought, { $item } included.

history_item-relational-unnamed =
    .a = Chosen with an earlier purchase of yours in mind.
    .b = Picked with something you bought before in mind.
    .c = With one of your earlier purchases in mind.
    .d = This takes an earlier purchase of yours into account.
    .e = One of your earlier purchases was taken into account here.
    .f = Suggested with a view to something you bought before.

similar_item-relational =
    .a = Similar to { $item }, which you bought.
    .b = This is similar to { $item }, which you bought.
    .c = You bought { $item }, and this is similar.
    .d = Close in description to { $item }, which you bought.
    .e = Along the same lines as { $item }, which you bought.
    .f = In the same vein as { $item }, which you bought.
    .g = Its description is close to that of { $item }, which you bought.
    .h = Akin to { $item }, which you bought.
    .i = Of a kind with { $item }, which you bought.
    .j = { $item }, which you bought, is similar to this.
    .k = A relative of { $item } from your orders.
    .l = Much like { $item }, a purchase of yours.
    .m = Reads much like { $item } in one of your orders.

similar_item-relational-unnamed =
    .a = Similar to an earlier purchase of yours.
    .b = This is similar to something you bought before.
    .c = Close in description to one of your earlier purchases.
    .d = Along the same lines as an earlier purchase of yours.
    .e = In the same vein as something you bought before.
    .f = One of your earlier purchases is similar to this.

brand-relational =
    .a = From { $value }, a brand you have bought { $count } times.
    .b = You have bought { $value } { $count } times.
    .c = By { $value }, like { $count } of your purchases.
    .d = { $count } of your purchases are from { $value }.
    .e = Another one from { $value }, bought by you { $count } times.
    .f = { $value } appears { $count } times among your purchases.
    .g = Among your purchases, { $count } are from { $value }.
    .h = This is from { $value }, the brand of { $count } of your purchases.

category-relational =
    .a = From { $value }, a category you have bought from { $count } times.
    .b = You have bought from the { $value } category { $count } times.
    .c = In the { $value } category, like { $count } of your purchases.
    .d = { $count } of your purchases are from the { $value } category.
    .e = Another one from { $value }, the category of { $count } of your purchases.
    .f = The { $value } category appears { $count } times among your purchases.
    .g = Among your purchases, { $count } are from the { $value } category.
    .h = This is from { $value }, the category of { $count } of your purchases.

profile-neutral =
    .a = Chosen with your profile in mind.
    .b = Your profile played a part in this suggestion.
    .c = Suggested with the help of your profile.
    .d = This takes your profile into account.
    .e = Picked for you with your profile in mind.
    .f = Your profile was taken into account here.
    .g = With your profile in mind.

profile-neutral-mentioned =
    .a = Your profile mentions { $value }.
    .b = This has to do with { $value }, which your profile mentions.
    .c = This takes your profile into account, which mentions { $value }.
    .d = Picked for you with your profile in mind, which mentions { $value }.
    .e = Related to { $value }, which is in your profile.
    .f = Suggested with the help of your profile, which mentions { $value }.
    .g = In your profile there is { $value }, and this is related to it.
    .h = Chosen with your profile in mind, and { $value } is in it.
    .i = It is about { $value }, which is part of your profile.
    .j = One related to { $value }, which comes up in your profile.
    .k = There is { $value } in your profile, and this has to do with it.

popularity-neutral =
    .a = Bought by { $count } people within { span }.
    .b = { $count } people bought this within { span }.
    .c = Within { span }, { $count } people bought this.
    .d = In the space of { span }, { $count } shoppers bought this.
    .e = This was bought by { $count } people within { span }.
    .f = Bought by { $count } different shoppers within { span }.
    .g = { $count } different shoppers bought this within { span }.
    .h = Over a period of { span }, { $count } people bought this.
    .i = Within { span }, this was bought by { $count } shoppers.
    .j = This item was bought by { $count } different people within { span }.

popularity-neutral-tail =
    .a = { $count } people bought this within { span }
    .b = { $count } shoppers bought this within { span }
    .c = within { span }, { $count } people bought this
    .d = { $count } different shoppers bought this within { span }

brand-relational-tail =
    .a = this is from { $value }, the brand of { $count } of your purchases
    .b = { $count } of your purchases are from { $value }
    .c = you have bought { $value } { $count } times
    .d = this is from { $value }, a brand you have bought { $count } times

category-relational-tail =
    .a = { $count } of your purchases are from the { $value } category
    .b = you have bought from the { $value } category { $count } times
    .c = this is from { $value }, the category of { $count } of your purchases

repeat_interval-relational =
    .a = You buy this about every { $days } days, the last time { $elapsed } days ago.
    .b = Bought by you about every { $days } days, and { $elapsed } days ago the last time.
    .c = About every { $days } days you buy this, and the last time was { $elapsed } days ago.
    .d = The last time you bought this was { $elapsed } days ago, and you buy it about every { $days } days.
    .e = It is { $elapsed } days since you bought this, which you buy about every { $days } days.
    .f = One you buy about every { $days } days, last bought { $elapsed } days ago.
    .g = Last bought { $elapsed } days ago, and you buy it about every { $days } days.

history_item-causal-viewed =
    .a = Because you are looking at { $item }.
    .b = Here because you are looking at { $item }.
    .c = You are looking at { $item }, which is why this is here.
    .d = Suggested because you are looking at { $item }.
    .e = This is here because of { $item }, which you are looking at.
    .f = Your look at { $item } brought this here.
    .g = Chosen for you because you are looking at { $item }.

history_item-causal-cart =
    .a = Because { $item } is in your cart.
    .b = Here because { $item } is in your cart.
    .c = You have { $item } in your cart, which is why this is here.
    .d = Suggested because you have { $item } in your cart.
    .e = This is here because of { $item }, which is in your cart.
    .f = { $item } in your cart brought this here.
    .g = Chosen for you because { $item } is in your cart.

history_item-contributory-viewed =
    .a = In line with { $item }, which you are looking at.
    .b = Your look at { $item } points to this.
    .c = In keeping with { $item }, which you are looking at.
    .d = Follows on from { $item }, which you are looking at.
    .e = You are looking at { $item }, and this follows on from it.
    .f = Suggested in part by your look at { $item }.
    .g = { $item }, which you are looking at, points this way.

history_item-contributory-cart =
    .a = In line with { $item }, which is in your cart.
    .b = { $item } in your cart points to this.
    .c = In keeping with { $item }, which is in your cart.
    .d = Follows on from { $item }, which is in your cart.
    .e = You have { $item } in your cart, and this follows on from it.
    .f = Suggested in part by { $item }, which is in your cart.
    .g = Chosen partly on the strength of { $item }, which is in your cart.

similar_item-relational-viewed =
    .a = Similar to { $item }, which you are looking at.
    .b = This is similar to { $item }, which you are looking at.
    .c = You are looking at { $item }, and this is similar.
    .d = Close in description to { $item }, which you are looking at.
    .e = Along the same lines as { $item }, which you are looking at.
    .f = Akin to { $item }, which you are looking at.
    .g = Its description is close to that of { $item }, which you are looking at.

similar_item-relational-cart =
    .a = Similar to { $item }, which is in your cart.
    .b = This is similar to { $item }, which is in your cart.
    .c = You have { $item } in your cart, and this is similar.
    .d = Close in description to { $item }, which is in your cart.
    .e = Along the same lines as { $item }, which is in your cart.
    .f = Akin to { $item }, which is in your cart.
    .g = Its description is close to that of { $item }, which is in your cart.

co_purchase-relational =
    .a = { $count } of { $people } people who bought { $item }, as you did, also bought this within { span }.
    .b = You bought { $item }, and { $count } of its { $people } buyers also bought this within { span }.
    .c = Of the { $people } people who bought { $item }, you among them, { $count } also bought this within { span }.
    .d = Like you, others bought { $item }, and { $count } of those { $people } people also bought this within { span }.
    .e = Within { span }, { $count } of the { $people } buyers of { $item }, which you bought, also bought this.
    .f = Among the { $people } buyers of { $item }, which you bought, { $count } also bought this within { span }.
    .g = This was also bought by { $count } of the { $people } people who bought { $item }, as you did, within { span }.

co_purchase-relational-viewed =
    .a = { $count } of { $people } people who bought { $item }, which you are looking at, also bought this within { span }.
    .b = You are looking at { $item }, and { $count } of its { $people } buyers also bought this within { span }.
    .c = Of the { $people } people who bought { $item }, which you are looking at, { $count } also bought this within { span }.
    .d = Within { span }, { $count } of the { $people } buyers of { $item }, which you are looking at, also bought this.
    .e = Among the { $people } buyers of { $item }, which you are looking at, { $count } also bought this within { span }.
    .f = This was also bought by { $count } of the { $people } buyers of { $item }, which you are looking at, within { span }.

co_purchase-relational-cart =
    .a = { $count } of { $people } people who bought { $item }, which is in your cart, also bought this within { span }.
    .b = You have { $item } in your cart, and { $count } of its { $people } buyers also bought this within { span }.
    .c = Of the { $people } people who bought { $item }, which is in your cart, { $count } also bought this within { span }.
    .d = Within { span }, { $count } of the { $people } buyers of { $item }, which is in your cart, also bought this.
    .e = Among the { $people } buyers of { $item }, which is in your cart, { $count } also bought this within { span }.
    .f = This was also bought by { $count } of the { $people } buyers of { $item }, which is in your cart, within { span }.

attribute-relational-colour =
    .a = In { $value }, the colour of { $count } of your purchases.
    .b = In { $value }, like { $count } of your purchases.
    .c = { $count } of your purchases are in { $value }, the colour of this.
    .d = This is in { $value }, the colour of { $count } of your purchases.
    .e = Among your purchases, { $count } are in { $value }, the colour of this.
    .f = You have bought { $count } times in { $value }, the colour of this.

attribute-relational-material =
    .a = Made of { $value }, like { $count } of your purchases.
    .b = In { $value }, the material of { $count } of your purchases.
    .c = { $count } of your purchases are made of { $value }, the material of this.
    .d = This is made of { $value }, like { $count } of your purchases.
    .e = Among your purchases, { $count } are made of { $value }, the material of this.
    .f = You have bought { $count } times in { $value }, the material of this.

attribute-relational-style =
    .a = In the { $value } style, like { $count } of your purchases.
    .b = { $count } of your purchases are in the { $value } style, as is this.
    .c = This is in the { $value } style, like { $count } of your purchases.
    .d = Among your purchases, { $count } are in the { $value } style, as is this.
    .e = You have bought { $count } times in the { $value } style, as this is.
    .f = Its style is { $value }, that of { $count } of your purchases.

attribute-relational-use =
    .a = For { $value }, like { $count } of your purchases.
    .b = { $count } of your purchases are for { $value }, as is this.
    .c = This is for { $value }, like { $count } of your purchases.
    .d = Among your purchases, { $count } are for { $value }, as is this.
    .e = You have bought { $count } times for { $value }, as this is.
    .f = Its use is { $value }, that of { $count } of your purchases.
